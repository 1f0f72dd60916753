"""Letting go of what runners keep of jobs that are no more."""
