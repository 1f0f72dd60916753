"""Stores of time series."""
