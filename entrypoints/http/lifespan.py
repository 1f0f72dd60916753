"""What happens when a server process starts, meanwhile, and when it stops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from tracker.container import Container, start, stop
from tracker.domain.errors import TrackerError

__all__ = ["Lifespan"]

_log = logging.getLogger("tracker.http")
_SWEEP_SECONDS = 60.0

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Lifespan:
    """ASGI middleware that opens and closes what is behind the services.

    Not Falcon's own hooks: those tell of a refused start with a traceback, where one line names the
    reason and the command that mends it.

    Args:
        app: the application whose requests pass through.
        container: what its services are made of.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], container: Container) -> None:
        self.app = app
        self._container = container

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serves a request, or the server's whole life."""
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        await receive()  # the start
        try:
            await start(self._container)
        except TrackerError as error:
            await stop(self._container)
            await send({"type": "lifespan.startup.failed", "message": f"cannot start: {error.detail}"})
            return
        sweeper = asyncio.create_task(self._sweep())
        await send({"type": "lifespan.startup.complete"})
        await receive()  # the end: all requests are answered by now
        sweeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweeper
        await stop(self._container)
        await send({"type": "lifespan.shutdown.complete"})

    async def _sweep(self) -> None:
        """Carries out deletions that a crash or a busy store has left undone."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            try:
                await self._container.scalars().sweep()
            except TrackerError as error:
                _log.warning("sweep: %s", error.detail)
            except Exception:  # the next sweep must come whatever happened to this one
                _log.exception("sweep")
