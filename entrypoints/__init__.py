"""What drives the core: the HTTP service and the command line."""
