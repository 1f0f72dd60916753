"""Bytes that datasets and jobs refer to."""
