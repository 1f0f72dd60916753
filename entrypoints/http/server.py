"""Runs the service: uvicorn, one process or several."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

import uvicorn

from tracker.container import build
from tracker.domain.errors import Invalid
from tracker.settings import Settings

from .app import create_app
from .auth import is_loopback
from .logs import configure
from .patience import PatientProtocol

__all__ = ["create_configured_app", "guarded", "serve"]

_GRACE_SECONDS = 30


def serve(settings: Settings, host: str = "127.0.0.1", port: int = 8000, workers: int = 1) -> None:
    """Serves until SIGINT or SIGTERM, then finishes what it accepted and returns.

    Args:
        settings: the installation to serve; one that others can reach requires credentials in any case.
        host: an address of this machine.
        port: 0 takes a free one; the log tells which.
        workers: processes; they share the address.

    Raises:
        Invalid: a number is out of range.
        Unavailable: credentials are required, and what they need is not installed.
    """
    settings = guarded(settings, host)
    if settings.auth == "required":
        os.umask(0o077)  # the database now holds what others on this machine must not read
    if not 0 <= port <= 65535:
        raise Invalid.field("port", "must be from 0 to 65535")
    if workers < 1:
        raise Invalid.field("workers", "must be at least 1")
    configure(settings.log_format, settings.log_level)
    options = _options(settings, host, port)
    if workers == 1:
        uvicorn.Server(uvicorn.Config(create_app(build(settings)), **options)).run()
        return
    # Worker processes start afresh and read their settings from the environment.
    settings.export()
    factory = f"{__package__}.server:create_configured_app"
    uvicorn.run(factory, factory=True, workers=workers, **options)


def guarded(settings: Settings, host: str) -> Settings:
    """The same, but nobody gets in without credentials where others can reach `host`."""
    return settings if is_loopback(host) else settings.evolve(auth="required")


def create_configured_app() -> Any:
    """The application of a worker process, from the environment."""
    settings = Settings.load()
    configure(settings.log_format, settings.log_level)
    return create_app(build(settings))


def _options(settings: Settings, host: str, port: int) -> dict[str, Any]:
    return {
        "host": host,
        "port": port,
        "loop": "uvloop" if importlib.util.find_spec("uvloop") else "asyncio",
        "http": PatientProtocol,
        "ws": "none",
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        # Only these are believed when they say for whom they ask; auth.py must see who really connects.
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": list(settings.trusted_proxies),
        "server_header": False,
        "timeout_graceful_shutdown": _GRACE_SECONDS,
    }
