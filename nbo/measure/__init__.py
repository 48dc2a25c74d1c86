"""What it was worth: acceptance, lift and intervals; pure functions on arrays."""
