"""Users: how they come, prove who they are, and go."""
