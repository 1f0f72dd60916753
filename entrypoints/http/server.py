"""Runs the service: uvicorn, one process or several."""

from __future__ import annotations

import importlib.util
from typing import Any

import uvicorn

from tracker.container import build
from tracker.domain.errors import Invalid
from tracker.settings import Settings

from .app import create_app
from .auth import is_loopback
from .logs import configure

__all__ = ["create_configured_app", "options", "serve"]

_GRACE_SECONDS = 30


def serve(settings: Settings, host: str = "127.0.0.1", port: int = 8000, workers: int = 1) -> None:
    """Serves until SIGINT or SIGTERM, then finishes what it accepted and returns.

    Args:
        settings: the installation to serve.
        host: an address of this machine.
        port: 0 takes a free one; the log tells which.
        workers: processes; they share the address.

    Raises:
        Invalid: `host` can be reached from other machines, or a number is out of range.
    """
    if not is_loopback(host):
        raise Invalid.field("host", f"{host} is not loopback; until there are accounts use 127.0.0.1")
    if not 0 <= port <= 65535:
        raise Invalid.field("port", "must be from 0 to 65535")
    if workers < 1:
        raise Invalid.field("workers", "must be at least 1")
    configure(settings.log_format, settings.log_level)
    chosen = options(host, port)
    if workers == 1:
        uvicorn.Server(uvicorn.Config(create_app(build(settings)), **chosen)).run()
        return
    # Worker processes start afresh and read their settings from the environment.
    settings.export()
    factory = f"{__package__}.server:create_configured_app"
    uvicorn.run(factory, factory=True, workers=workers, **chosen)


def create_configured_app() -> Any:
    """The application of a worker process, from the environment."""
    settings = Settings.load()
    configure(settings.log_format, settings.log_level)
    return create_app(build(settings))


def options(host: str, port: int) -> dict[str, Any]:
    """How uvicorn runs an application here."""
    return {
        "host": host,
        "port": port,
        "loop": "uvloop" if importlib.util.find_spec("uvloop") else "asyncio",
        "http": "httptools" if importlib.util.find_spec("httptools") else "h11",
        "ws": "none",
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "proxy_headers": False,  # auth.py must see who really connects
        "server_header": False,
        "timeout_graceful_shutdown": _GRACE_SECONDS,
    }
