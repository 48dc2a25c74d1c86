"""The `nbo` command."""
