"""Files of tables that are no text."""
