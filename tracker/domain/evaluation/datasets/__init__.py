"""Datasets: what one is, how its files are read, and how its content is named."""
