"""How a search becomes statements, and what it looks at is kept."""
