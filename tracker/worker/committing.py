"""Outcomes of many slots, kept together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.worker.lease_keeper import LeaseKeeper

__all__ = ["GroupCommit"]


class GroupCommit:
    """Keeps outcomes at the desk, one call at a time with everything that waits: nothing is delayed, and
    under load a call carries more.

    Args:
        lease: of the attempt.
    """

    def __init__(self, lease: LeaseKeeper) -> None:
        self._lease = lease
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
        while (done := self._done) is not None:
            outcomes, keys = self._waiting, self._keys
            self._waiting, self._keys, self._done = [], {}, None
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
        self._under_way = None
