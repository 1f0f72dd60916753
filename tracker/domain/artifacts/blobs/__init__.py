"""Use cases of blobs."""
