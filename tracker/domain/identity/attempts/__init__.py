"""How often strangers may try."""
