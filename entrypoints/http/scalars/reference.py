"""The scalars service's reference page: ``python -m entrypoints.http.scalars.reference`` prints it."""

from __future__ import annotations

import sys

from ..reference import reference
from .routes import SERVICE_ROUTES

__all__ = ["service_reference"]

_HEAD = """# HTTP API of the scalars service

Generated from its table of routes (`entrypoints/http/scalars/routes.py`); a test fails when it drifts.
A running service shows every field, for programs, at `/api/openapi.json`. `tracker scalars-server` starts it.

With `SCALARS_SERVICE_KEY` all routes but health want it as a bearer. Bodies and answers of `/api/projects`
and `/api/scalars` are JSON or `application/msgpack`; those of `/api/store`, which our own client uses, are
msgpack with [typed columns](../guide/scalars-wire.md). Errors are JSON. Actions are what a tracker asks of
its own users before it calls the route; the service itself knows no users.

"""


def service_reference() -> str:
    """The page in Markdown."""
    return reference(SERVICE_ROUTES, _HEAD)


if __name__ == "__main__":
    sys.stdout.write(service_reference())
