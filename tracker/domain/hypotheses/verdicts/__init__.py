"""Verdicts on hypotheses, computed when they are read."""
