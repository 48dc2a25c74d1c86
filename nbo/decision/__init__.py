"""The decision itself, pure: no clock, socket, file or unseeded randomness."""
