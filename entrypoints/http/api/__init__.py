"""The native REST API, one resource a thing."""
