"""Work on a SQLite connection that is done to its end, even for a caller who is cancelled meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

__all__ = ["finished"]

T = TypeVar("T")


async def finished(work: Awaitable[T]) -> T:
    """What `work` gives; a cancellation of the caller is raised only once `work` has ended.

    SQLAlchemy throws away a connection whose statement is cancelled, and with it a whole database
    in memory. The statement itself would run on in its thread, after the file lock was given back.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError as error:
        cancellation = error
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancellation = error
    if not task.cancelled():
        task.exception()  # taken note of; the cancellation is what counts
    raise cancellation
