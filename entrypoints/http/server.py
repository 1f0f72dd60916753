"""Runs the service: uvicorn, one process or several."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import signal
import socket
from collections.abc import Sequence
from typing import Any

import uvicorn

from tracker.container import build, start, stop
from tracker.domain.errors import Invalid, Unavailable
from tracker.settings import Settings

from .app import create_app
from .auth import is_loopback
from .garbage import spare_what_stays
from .logs import configure
from .patience import PatientProtocol

__all__ = ["create_configured_app", "guarded", "serve", "serve_alone"]

_log = logging.getLogger("tracker.http")
_GRACE_SECONDS = 30
_BACKLOG = 2048


def serve(settings: Settings, host: str = "127.0.0.1", port: int = 8000, workers: int = 1) -> None:
    """Serves until SIGINT or SIGTERM, then finishes what it accepted and returns.

    Args:
        settings: the installation to serve; one that others can reach requires credentials in any case.
        host: an address of this machine.
        port: 0 takes a free one; the log tells which.
        workers: processes; they share the address.

    Raises:
        Invalid: a number is out of range.
        Unavailable: the address is taken, or with several workers the database cannot be used.
        SystemExit: 0 after a signal, 3 when a single worker cannot start; the log says why.
    """
    settings = guarded(settings, host)
    if settings.auth == "required":
        os.umask(0o077)  # the database now holds what others on this machine must not read
    if not 0 <= port <= 65535:
        raise Invalid.field("port", "must be from 0 to 65535")
    if workers < 1:
        raise Invalid.field("workers", "must be at least 1")
    configure(settings.log_format, settings.log_level)
    if workers == 1:
        serve_alone(create_app(build(settings), spare_what_stays), host, port, settings.trusted_proxies)
    else:
        _serve_together(settings, host, port, workers)


def serve_alone(app: Any, host: str, port: int, trusted_proxies: Sequence[str] = ()) -> None:
    """Serves an application in this process until SIGINT or SIGTERM.

    Args:
        app: of ASGI.
        host: an address of this machine.
        port: 0 takes a free one; the log tells which.
        trusted_proxies: addresses whose word on who connects is taken.

    Raises:
        Unavailable: the address is taken.
        SystemExit: 0 after a signal, 3 when it cannot start; the log says why.
    """
    # Having shut down, uvicorn raises the signal once more, which by default would end the process
    # as killed: that it did as it was told is no failure.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    config = uvicorn.Config(app, **_options(trusted_proxies))
    with _listening(host, port) as listener:
        uvicorn.Server(config).run(sockets=[listener])


def _leave(_number: int, _frame: object) -> None:
    raise SystemExit(0)


def _serve_together(settings: Settings, host: str, port: int, workers: int) -> None:
    from uvicorn.supervisors import Multiprocess  # noqa: PLC0415  (late: one worker needs no supervisor)

    # Once for all workers, so that they need not race, and a refusal is told once.
    asyncio.run(_tried(settings))
    # Worker processes start afresh and read their settings from the environment.
    settings.export()
    factory = f"{__package__}.server:create_configured_app"
    options = _options(settings.trusted_proxies)
    config = uvicorn.Config(factory, factory=True, workers=workers, **options)
    with _listening(host, port) as listener:
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
    _log.info("serving http://%s (press Ctrl-C to stop)", _address(listener))
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def guarded(settings: Settings, host: str) -> Settings:
    """The same, but nobody gets in without credentials where others can reach `host`."""
    return settings if is_loopback(host) else settings.evolve(auth="required")


def create_configured_app() -> Any:
    """The application of a worker process, from the environment."""
    settings = Settings.load()
    configure(settings.log_format, settings.log_level)
    return create_app(build(settings), spare_what_stays)


def _options(trusted_proxies: Sequence[str]) -> dict[str, Any]:
    return {
        "loop": "uvloop" if importlib.util.find_spec("uvloop") else "asyncio",
        "http": PatientProtocol,
        "ws": "none",
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        # Only these are believed when they say for whom they ask; auth.py must see who really connects.
        "proxy_headers": bool(trusted_proxies),
        "forwarded_allow_ips": list(trusted_proxies),
        "server_header": False,
        "timeout_graceful_shutdown": _GRACE_SECONDS,
    }
