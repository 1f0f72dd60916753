"""Secrets of users: kept sealed, opened for their jobs."""
