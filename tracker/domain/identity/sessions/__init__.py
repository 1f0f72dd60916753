"""Sessions: logging in, staying known, logging out."""
