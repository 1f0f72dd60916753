"""Hypotheses, and what experiments say of them."""
