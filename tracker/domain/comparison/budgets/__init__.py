"""Experiments at the same budget."""
