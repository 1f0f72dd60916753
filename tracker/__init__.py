"""Track machine-learning experiments."""
