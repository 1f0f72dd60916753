"""Reads of single rows that share their queries.

With many requests at once, the hop to the driver costs far more than the row. Keys asked for
while a query is under way are fetched together by the next one. A call is only ever answered by a
query that began after it, so nothing it could know of is missing: still read-committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any

Key = Hashable

__all__ = ["Coalescer"]

_LARGEST_QUERY = 200


class Coalescer:
    """Fetches rows by key, many callers to a query.

    Args:
        fetch: gives the rows that exist for some distinct keys.
    """

    def __init__(self, fetch: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Any]]]) -> None:
        self._fetch = fetch
        self._waiting: dict[Key, asyncio.Future[Any]] = {}
        self._running: asyncio.Task[None] | None = None

    async def get(self, key: Key) -> Any:
        """The row of `key`, or ``None``; raises what the query raises."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            if self._running is None:
                self._running = asyncio.create_task(self._serve())
        # Shielded: one caller who gives up must not take the others' answer along.
        return await asyncio.shield(future)

    async def _serve(self) -> None:
        try:
            while self._waiting:
                keys = list(self._waiting)[:_LARGEST_QUERY]
                await self._answer({key: self._waiting.pop(key) for key in keys})
        finally:
            self._running = None

    async def _answer(self, asked: Mapping[Key, asyncio.Future[Any]]) -> None:
        try:
            rows = await self._fetch(list(asked))
        except BaseException as error:
            for future in asked.values():
                future.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
                future.exception()  # seen: the callers may all be gone
            if not isinstance(error, Exception):
                raise
        else:
            for key, future in asked.items():
                future.set_result(rows.get(key))
