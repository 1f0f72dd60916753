"""Who shows some credentials."""
