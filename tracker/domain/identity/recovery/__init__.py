"""One-time codes: a forgotten password, and an installation's first administrator."""
