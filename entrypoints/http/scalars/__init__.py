"""The scalars service: a store of time series for trackers on other machines."""
