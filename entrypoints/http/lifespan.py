"""What happens when a server process starts, meanwhile, and when it stops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from tracker.container import Container, look_after_jobs, require_extra, start, stop
from tracker.domain.errors import TrackerError
from tracker.embedded import over
from tracker.journal.recovery import recover, tell

__all__ = ["Lifespan"]

_log = logging.getLogger("tracker.http")
_SWEEP_SECONDS = 60.0
_MAINTENANCE_SECONDS = 5.0
_WELCOME = """
There is no administrator yet. Make the first one on this machine with `tracker user create --admin`,
or from elsewhere, once and within 24 hours, with this code:

    {code}

"""

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Lifespan:
    """ASGI middleware that opens and closes what is behind the services.

    Not Falcon's own hooks: those tell of a refused start with a traceback, where one line names the
    reason and the command that mends it.

    Args:
        app: the application whose requests pass through.
        container: what its services are made of.
        at_start: called when everything is open, before the first request.
    """

    def __init__(
        self, app: Callable[..., Awaitable[None]], container: Container, at_start: Callable[[], object] | None
    ) -> None:
        self.app = app
        self._container = container
        self._at_start = at_start

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serves a request, or the server's whole life."""
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        await receive()  # the start
        try:
            await start(self._container)
            if self._container.config().auth == "required":
                await self._admit_teams()
            look_after_jobs(self._container)
        except TrackerError as error:
            await stop(self._container)
            await send({"type": "lifespan.startup.failed", "message": f"cannot start: {error.detail}"})
            return
        if self._at_start is not None:
            self._at_start()
        sweeper = asyncio.create_task(self._sweep())
        await send({"type": "lifespan.startup.complete"})
        await receive()  # the end: all requests are answered by now
        sweeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweeper
        await stop(self._container)
        await send({"type": "lifespan.shutdown.complete"})

    async def _admit_teams(self) -> None:
        """Makes sure of the signing key, and tells the terminal, not the log, how the first administrator
        is made."""
        self._container.signing_keys().ensure(self._container.clock().now())
        require_extra()
        if self._container.config().oidc_issuer is not None:
            self._container.identity_provider()  # what cannot work is told now, not to the first person
        code = await self._container.recovery().setup_code()
        if code is not None:
            sys.stderr.write(_WELCOME.format(code=code))
            sys.stderr.flush()

    async def _sweep(self) -> None:
        """Brings in what scripts left behind that write to the same folder, carries out what deletions left
        to do, deletes unused blobs, what is left of deleted jobs, old attempts, and maintains the
        scalars."""
        while True:
            try:
                for each in await recover(over(self._container), self._container.config().data):
                    tell(each)
            except Exception:
                _log.exception("recovering runs")
            await asyncio.sleep(_SWEEP_SECONDS)
            try:
                await self._container.scalars().sweep()
                await self._container.blobs().sweep()
                await self._container.forgetting().sweep()
                if self._container.config().auth == "required":
                    await self._container.attempts().forget()
                await self._container.scalars().maintain(_MAINTENANCE_SECONDS)
            except TrackerError as error:
                _log.warning("sweep: %s", error.detail)
            except Exception:  # the next sweep must come whatever happened to this one
                _log.exception("sweep")
