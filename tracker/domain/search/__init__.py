"""Searching: a language of filters, what they look at, and queries that people keep."""
