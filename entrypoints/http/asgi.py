"""For ASGI servers: ``uvicorn entrypoints.http.asgi:app``."""

from __future__ import annotations

from tracker.container import build
from tracker.settings import Settings

from .app import create_app
from .garbage import spare_what_stays

__all__ = ["app"]

app = create_app(build(Settings.load()), spare_what_stays)
