"""Propensity: batch (LightGBM), online (River), their blend, calibration, registry, checks."""
