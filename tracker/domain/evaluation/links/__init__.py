"""Addresses of files that hold for an hour and for whoever has them."""
