"""Keeping the numbers fresh by which a search knows time series."""
