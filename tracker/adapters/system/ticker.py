"""Does something again and again while the program does other things."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

from tracker.domain.errors import TrackerError

__all__ = ["Ticker", "pause_after"]

_log = logging.getLogger("tracker")
_REST = 9  # times as long as it worked
_LONGEST_PAUSE = 5  # times as long as usual


def pause_after(took: float, *, usual: float) -> float:
    """Seconds to rest, so that work that takes long has no more than a tenth of the time.

    Args:
        took: seconds that it worked.
        usual: seconds to rest, at least; and no more than five times as many, as it may have but waited.
    """
    return max(usual, min(took * _REST, usual * _LONGEST_PAUSE))


class Ticker:
    """Calls something a while after it last ended, and once more at the end.

    Args:
        work: what is called; its failures are logged, and it is called again.
        seconds: between two calls, as a rule; see :func:`pause_after`.
    """

    def __init__(self, work: Callable[[], Awaitable[object]], seconds: float) -> None:
        self._work = work
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, in the running event loop."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ends after one more call; without a start, does nothing."""
        if self._task is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        await self._once()

    async def _run(self) -> None:
        pause = self._seconds
        while True:
            await asyncio.sleep(pause)
            began = time.monotonic()
            await self._once()
            pause = pause_after(time.monotonic() - began, usual=self._seconds)

    async def _once(self) -> None:
        try:
            await self._work()
        except TrackerError as error:
            _log.debug("%s", error.detail)
        except Exception:
            _log.exception("unexpected error in the background")
