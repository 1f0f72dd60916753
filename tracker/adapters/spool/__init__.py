"""Files on their way in, whose digest is not known before all of them has come."""
