"""Models that tell which parameters matter."""
