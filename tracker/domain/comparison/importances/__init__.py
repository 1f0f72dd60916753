"""Which parameters go with a metric."""
