"""What happens when a server process starts, meanwhile, and when it stops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from typing import Any

from tracker.container import Container, require_extra, start, stop
from tracker.domain.errors import TrackerError

__all__ = ["Lifespan"]

_log = logging.getLogger("tracker.http")
_SWEEP_SECONDS = 60.0
_WELCOME = """
There is no administrator yet. Make the first one on this machine with `tracker user create --admin`,
or from elsewhere, once and within 24 hours, with this code:

    {code}

"""


class Lifespan:
    """Falcon middleware that opens and closes what is behind the services."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._sweeper: asyncio.Task[None] | None = None

    async def process_startup(self, scope: dict[str, Any], event: dict[str, Any]) -> None:
        """Opens everything; an error here keeps the server from starting."""
        await start(self._container)
        if self._container.config().auth == "required":
            await self._admit_teams()
        self._sweeper = asyncio.create_task(self._sweep())

    async def process_shutdown(self, scope: dict[str, Any], event: dict[str, Any]) -> None:
        """Closes everything; the server has answered all requests by now."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper
        await stop(self._container)

    async def _admit_teams(self) -> None:
        """Makes sure of the signing key, and tells the terminal, not the log, how the first administrator
        is made."""
        self._container.signing_keys().ensure(self._container.clock().now())
        require_extra()
        code = await self._container.recovery().setup_code()
        if code is not None:
            sys.stderr.write(_WELCOME.format(code=code))
            sys.stderr.flush()

    async def _sweep(self) -> None:
        """Carries out deletions that a crash or a busy store has left undone, and forgets old attempts."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            try:
                await self._container.scalars().sweep()
                await self._container.attempts().forget()
            except TrackerError as error:
                _log.warning("sweep: %s", error.detail)
            except Exception:  # the next sweep must come whatever happened to this one
                _log.exception("sweep")
