"""Does several things at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

__all__ = ["together"]

_Found = TypeVar("_Found")

_AT_ONCE = 32


async def together(works: Sequence[Callable[[], Awaitable[_Found]]]) -> Sequence[_Found]:
    """What came of each of `works`, of which at most 32 are under way at a time."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def done(work: Callable[[], Awaitable[_Found]]) -> _Found:
        async with free:
            return await work()

    return await asyncio.gather(*map(done, works))
