"""What happens when a server process starts, meanwhile, and when it stops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from tracker.container import Container, start, stop
from tracker.domain.errors import TrackerError

__all__ = ["Lifespan"]

_log = logging.getLogger("tracker.http")
_SWEEP_SECONDS = 60.0
_MAINTENANCE_SECONDS = 5.0


class Lifespan:
    """Falcon middleware that opens and closes what is behind the services."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._sweeper: asyncio.Task[None] | None = None

    async def process_startup(self, scope: dict[str, Any], event: dict[str, Any]) -> None:
        """Opens everything; an error here keeps the server from starting."""
        await start(self._container)
        self._sweeper = asyncio.create_task(self._sweep())

    async def process_shutdown(self, scope: dict[str, Any], event: dict[str, Any]) -> None:
        """Closes everything; the server has answered all requests by now."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper
        await stop(self._container)

    async def _sweep(self) -> None:
        """Carries out deletions that a crash or a busy store has left undone, then maintains scalars."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            try:
                await self._container.scalars().sweep()
                await self._container.scalars().maintain(_MAINTENANCE_SECONDS)
            except TrackerError as error:
                _log.warning("sweep: %s", error.detail)
            except Exception:  # the next sweep must come whatever happened to this one
                _log.exception("sweep")
