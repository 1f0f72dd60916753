"""Implementations of the ports. Only ``tracker.container`` knows them all."""
