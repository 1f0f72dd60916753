"""The models that are offered."""
