"""The HTTP service: Falcon over ASGI."""
