"""The reference page of the HTTP API: ``python -m entrypoints.http.reference > docs/reference/http.md``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .errors import STATUSES
from .routes import ROUTES, Route

__all__ = ["reference"]

_HEAD = """# HTTP API

Generated from the table of routes (`entrypoints/http/routes.py`); a test fails when it drifts. A running
server shows every field at `/api/docs` and, for programs, at `/api/openapi.json`.

On a laptop the server answers only requests from its own machine, as the one local user. A team's server
wants `Authorization: Bearer` with a session token or an API token on every route but the public ones. The
last columns tell which action a caller needs, and on what it is checked (`entrypoints/http/route.py`).
Errors are `{"detail", "code"}`, with `errors: [{loc, msg, type}]` where fields are wrong. Unknown fields and
query parameters are errors. Every answer carries `X-Request-ID`; send your own to find it in the log.

"""

_TABLE = """## Routes

| Method | Path | What it does | Answers | Action | Checked on |
|---|---|---|---|---|---|
"""


def reference(routes: Sequence[Route], head: str = _HEAD) -> str:
    """The page in Markdown."""
    return head + _TABLE + "".join(map(_row, routes)) + _errors()


def _row(route: Route) -> str:
    action = f"`{route.action.value}`" if route.action else ""
    scope = route.scope.value.replace("_", " ")
    return f"| {route.method} | `{route.path}` | {route.summary} | {route.status} | {action} | {scope} |\n"


def _errors() -> str:
    rows = "".join(f"| {status} | `{family.code}` |\n" for family, status in STATUSES.items())
    edge = "| 405 | `method_not_allowed` |\n| 415 | `unsupported_media_type` |\n"
    return f"\n## Errors\n\n| Status | Code of the family |\n|---|---|\n{rows}{edge}| 500 | `internal` |\n"


if __name__ == "__main__":
    sys.stdout.write(reference(ROUTES))
