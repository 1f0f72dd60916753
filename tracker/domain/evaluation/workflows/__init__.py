"""Workflows: inference with one model, then evaluation of what it answered."""
