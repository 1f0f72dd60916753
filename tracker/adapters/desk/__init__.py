"""The desk of an installation, for workers on other machines."""
