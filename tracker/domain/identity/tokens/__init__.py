"""API tokens: what scripts show instead of a password."""
