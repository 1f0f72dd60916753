"""Whole runs: experiments with their final values."""
