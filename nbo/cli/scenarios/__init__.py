"""Scenarios: what must hold, as sentences, told to a real engine with time frozen."""
