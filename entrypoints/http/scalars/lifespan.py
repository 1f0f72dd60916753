"""What happens when the scalars service starts, meanwhile, and when it stops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from tracker.domain.errors import TrackerError
from tracker.ports.scalars import ScalarStore

__all__ = ["StoreLifespan"]

_log = logging.getLogger("tracker.scalars")
_EVERY_SECONDS, _MAINTENANCE_SECONDS = 60.0, 5.0


class StoreLifespan:
    """Falcon middleware that looks after the store, and closes it in the end.

    Args:
        store: which.
        at_start: called when it has answered, before the first request.
    """

    def __init__(self, store: ScalarStore, at_start: Callable[[], object] | None) -> None:
        self._store = store
        self._at_start = at_start
        self._upkeep: asyncio.Task[None] | None = None

    async def process_startup(self, scope: dict[str, Any], event: dict[str, Any]) -> None:
        """Keeps a service whose store does not answer from starting."""
        await self._store.check()
        if self._at_start is not None:
            self._at_start()
        self._upkeep = asyncio.create_task(self._maintain())

    async def process_shutdown(self, scope: dict[str, Any], event: dict[str, Any]) -> None:
        """Finishes what was accepted; the server has answered all requests by now."""
        if self._upkeep is not None:
            self._upkeep.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._upkeep
        await self._store.close()

    async def _maintain(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            try:
                await self._store.maintain(_MAINTENANCE_SECONDS)
            except TrackerError as error:
                _log.warning("maintenance: %s", error.detail)
            except Exception:  # the next one must come whatever happened to this one
                _log.exception("maintenance")
