"""Runs the service: uvicorn, one process or several."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import signal
import socket
from typing import Any

import uvicorn

from tracker.container import build, start, stop
from tracker.domain.errors import Invalid, Unavailable
from tracker.settings import Settings

from .app import create_app
from .auth import is_loopback
from .logs import configure

__all__ = ["create_configured_app", "serve"]

_log = logging.getLogger("tracker.http")
_GRACE_SECONDS = 30
_BACKLOG = 2048


def serve(settings: Settings, host: str = "127.0.0.1", port: int = 8000, workers: int = 1) -> None:
    """Serves until SIGINT or SIGTERM, then finishes what it accepted and returns.

    Args:
        settings: the installation to serve.
        host: an address of this machine.
        port: 0 takes a free one; the log tells which.
        workers: processes; they share the address.

    Raises:
        Invalid: `host` can be reached from other machines, or a number is out of range.
        Unavailable: the address is taken, or with several workers the database cannot be used.
        SystemExit: 0 after a signal, 3 when a single worker cannot start; the log says why.
    """
    if not is_loopback(host):
        raise Invalid.field("host", f"{host} is not loopback; until there are accounts use 127.0.0.1")
    if not 0 <= port <= 65535:
        raise Invalid.field("port", "must be from 0 to 65535")
    if workers < 1:
        raise Invalid.field("workers", "must be at least 1")
    configure(settings.log_format, settings.log_level)
    with _listening(host, port) as listener:
        _log.info("serving http://%s (press Ctrl-C to stop)", _address(listener))
        if workers == 1:
            _serve_alone(settings, listener)
        else:
            _serve_together(settings, listener, workers)


def _serve_alone(settings: Settings, listener: socket.socket) -> None:
    # Having shut down, uvicorn raises the signal once more, which by default would end the process
    # as killed: that it did as it was told is no failure.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    config = uvicorn.Config(create_app(build(settings)), **_options())
    uvicorn.Server(config).run(sockets=[listener])


def _leave(_number: int, _frame: object) -> None:
    raise SystemExit(0)


def _serve_together(settings: Settings, listener: socket.socket, workers: int) -> None:
    from uvicorn.supervisors import Multiprocess  # noqa: PLC0415  (late: one worker needs no supervisor)

    # Once for all workers, so that they need not race, and a refusal is told once.
    asyncio.run(_tried(settings))
    # Worker processes start afresh and read their settings from the environment.
    settings.export()
    factory = f"{__package__}.server:create_configured_app"
    config = uvicorn.Config(factory, factory=True, workers=workers, **_options())
    Multiprocess(config, sockets=[listener]).run()


async def _tried(settings: Settings) -> None:
    container = build(settings)
    try:
        await start(container)
    finally:
        await stop(container)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        why = f"cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}"
        raise Unavailable(f"{why}; another port: tracker server --port 0") from error
    listener.set_inheritable(True)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def create_configured_app() -> Any:
    """The application of a worker process, from the environment."""
    settings = Settings.load()
    configure(settings.log_format, settings.log_level)
    return create_app(build(settings))


def _options() -> dict[str, Any]:
    return {
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
