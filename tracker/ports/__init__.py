"""What the core needs from the world, as small protocols. A port's docstring is its contract."""
