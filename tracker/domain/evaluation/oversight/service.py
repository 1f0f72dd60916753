"""Looking after jobs and workflows: what makes them go on, whoever dies."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from tracker.domain.errors import TrackerError
from tracker.domain.evaluation.oversight.attempts.service import Attempts
from tracker.domain.evaluation.oversight.stepping.service import Stepping
from tracker.ports.clock import Clock
from tracker.ports.unit_of_work import UnitsOfWork

__all__ = ["Overseer", "Together"]

_Key = TypeVar("_Key")

Look = Callable[[], Awaitable[datetime | None]]
Together = Callable[[Sequence[Look]], Awaitable[Sequence[datetime | None]]]
"""Does some things at once, as many as is good, and gives what came of each."""

_log = logging.getLogger("tracker")
_ROUNDS = 3


class Overseer:
    """Looks at all jobs and workflows that have not ended, and does what is to be done with them.

    It remembers nothing between two looks. Any number of processes may look at one database: of those that
    want to change the same thing the first one does.

    Args:
        units: opens units of work.
        clock: tells the time.
        attempts: moves jobs on.
        stepping: moves workflows on.
        together: a runner that does not answer for one job shall not hold up the others.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        clock: Clock,
        *,
        attempts: Attempts,
        stepping: Stepping,
        together: Together,
    ) -> None:
        self._units = units
        self._clock = clock
        self._attempts = attempts
        self._stepping = stepping
        self._together = together

    async def look(self) -> datetime | None:
        """Looks once at everything that has not ended; when to look again, ``None`` when all has.

        What goes wrong with one job never keeps it from the others.

        Raises:
            Unavailable: the database does not answer.
        """
        when = await self._round()
        for _ in range(_ROUNDS - 1):
            if when is None or when > self._clock.now():
                break
            when = await self._round()
        return when

    async def _round(self) -> datetime | None:
        async with self._units.reading() as unit:
            jobs = await unit.jobs.to_look_after()
        found = list(await self._together([partial(self._safely, self._attempts.look, job) for job in jobs]))
        async with self._units.reading() as unit:
            workflows = await unit.workflows.to_look_after()
        found += await self._together(
            [partial(self._safely, self._stepping.look, each) for each in workflows]
        )
        return min((when for when in found if when is not None), default=None)

    async def _safely(self, look: Callable[[_Key], Awaitable[datetime | None]], key: _Key) -> datetime | None:
        try:
            return await look(key)
        except TrackerError as error:
            _log.warning("looking after %s: %s", key, error.detail)
        except Exception:
            _log.exception("unexpected error while looking after %s", key)
        return None
