"""How much the ends of time series scatter."""
