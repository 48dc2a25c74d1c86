"""A simulated telecom: people, what happens to them, and how they answer an offer."""
