"""nbo: a self-hosted, real-time next-best-offer engine."""

__version__ = "0.1.0"
