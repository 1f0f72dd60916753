"""Workflows as tracked experiments."""
