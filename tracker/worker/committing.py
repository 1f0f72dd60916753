"""Outcomes of many slots, kept together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.worker.lease_keeper import LeaseKeeper

__all__ = ["GroupCommit"]

_LONGEST_SECONDS = 0.1  # a call over a bad line may take long; what was paid for is not kept waiting for that


class GroupCommit:
    """Keeps outcomes at the desk, one call at a time with everything that waits.

    Where rows come slowly, none is delayed. Where they come faster than calls go, a call begins when all
    slots wait, or after as long as the last one took: it costs as much as sending several rows does, and so
    carries several.

    Args:
        lease: of the attempt.
        slots: that wait for what they keep; no more can come.
    """

    def __init__(self, lease: LeaseKeeper, slots: int) -> None:
        self._lease = lease
        self._slots = slots
        self._full = asyncio.Event()
        self._pause = 0.0  # seconds before the next call
        self._waiting: list[RowOutcome] = []
        self._keys: dict[int, str] = {}
        self._done: asyncio.Future[None] | None = None
        self._under_way: asyncio.Task[None] | None = None

    async def keep(self, outcomes: Sequence[RowOutcome], keys: Mapping[int, str]) -> None:
        """Returns when they are kept.

        Args:
            outcomes: of rows.
            keys: by row number, by which answers are to be remembered.

        Raises:
            Conflict: the attempt has lost its job, or is to stop; the desk was brought the outcomes.
            DeskLost: the desk has not answered for too long.
        """
        self._waiting.extend(outcomes)
        self._keys.update(keys)
        if len(self._waiting) >= self._slots:
            self._full.set()
        if self._done is None:
            self._done = asyncio.get_running_loop().create_future()
        done = self._done
        if self._under_way is None:
            self._under_way = asyncio.create_task(self._work())
        await asyncio.shield(done)

    async def settle(self) -> None:
        """Returns when nothing is under way."""
        if self._under_way is not None:
            await self._under_way

    async def _work(self) -> None:
        clock = asyncio.get_running_loop().time
        while (done := self._done) is not None:
            if self._pause:
                await self._gather()
            began = clock()
            outcomes, keys = self._waiting, self._keys
            self._waiting, self._keys, self._done = [], {}, None
            self._full.clear()
            try:
                await self._lease.keep(outcomes, keys)
            except asyncio.CancelledError:
                done.cancel()
                raise
            except Exception as error:
                done.set_exception(error)
                done.exception()  # whoever waited may have gone
            else:
                done.set_result(None)
            is_busy = len(outcomes) > 1 or self._waiting
            self._pause = min(clock() - began, _LONGEST_SECONDS) if is_busy else 0.0
        self._under_way = None

    async def _gather(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pause):
                await self._full.wait()
