"""Propensity models: batch, online, their blend, and the registry."""
