"""Final values of experiments, and the one that counts."""
