"""Stores of blobs: a folder, or S3."""
