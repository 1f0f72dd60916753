"""Use cases of what searches know of time series."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import datetime

from tracker.domain.errors import Unavailable
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.metrics.summary import SeriesMark
from tracker.domain.scalars.series import SeriesSummary
from tracker.domain.search.ordering import NEWEST_FIRST, Search
from tracker.domain.search.query import Builtin, Column, Compare, Operator
from tracker.ports.clock import Clock
from tracker.ports.scalars import ScalarStore
from tracker.ports.unit_of_work import UnitsOfWork

__all__ = ["SummaryService"]

_ROWS_A_UNIT = 100  # few: who logs meanwhile must not wait for all of them
_RUNNING_AT_MOST = 10_000


class SummaryService:
    """Copies what series are like from the store of scalars to where experiments are searched.

    A search never waits for that store. So whoever logs points says so here, and what they say is carried
    over soon after, for all runs at once, and once more when a run has ended.

    Args:
        units: opens units of work.
        store: of the time series.
        clock: tells the present time.
    """

    def __init__(self, units: UnitsOfWork, store: ScalarStore, clock: Clock) -> None:
        self._units = units
        self._store = store
        self._clock = clock
        self._has_caught_up = False
        self._waiting: dict[ProjectId, set[ExperimentId]] = {}

    def note(self, project_id: ProjectId, experiment_id: ExperimentId) -> None:
        """Takes note that an experiment got points."""
        self._waiting.setdefault(project_id, set()).add(experiment_id)

    async def refresh(self) -> None:
        """Carries over what was noted; the first time also what others may have died before they did.

        Raises:
            Unavailable: the database or the store does not answer; what it was about stays noted.
        """
        if not self._has_caught_up:
            await self._catch_up()
            self._has_caught_up = True
        waiting, self._waiting = self._waiting, {}
        failure: Unavailable | None = None
        try:
            while waiting:
                project_id = next(iter(waiting))
                try:
                    await self._carry_over(project_id, waiting[project_id])
                except Unavailable as error:
                    failure = error
                    self._waiting.setdefault(project_id, set()).update(waiting[project_id])
                del waiting[project_id]
        finally:  # cancelled, or worse: nothing that was noted may be forgotten
            for project_id, experiment_ids in waiting.items():
                self._waiting.setdefault(project_id, set()).update(experiment_ids)
        if failure is not None:
            raise failure

    async def settle(self, project_id: ProjectId, experiment_id: ExperimentId) -> None:
        """Carries over what the series of an ended run are like.

        A store that does not answer now is no error: the next refresh does it.
        """
        self.note(project_id, experiment_id)
        try:
            await self._carry_over(project_id, {experiment_id})
        except Unavailable:
            return
        self._waiting.get(project_id, set()).discard(experiment_id)

    async def _catch_up(self) -> None:
        """Takes note of all experiments that are running, and of projects that nobody carried over yet."""
        async with self._units.reading() as unit:
            projects = tuple(project.id for project in await unit.projects.list())
            running = await unit.search.page(_running(projects, self._clock.now())) if projects else ()
            runs = await unit.experiments.get_many([place.id for place in running])
            new = set(projects) - await unit.summaries.projects_with_series()
        for run in runs.values():
            self.note(run.project_id, run.id)
        for project_id in new:
            for row in await self._store.summary(project_id):
                self.note(project_id, row.experiment_id)

    async def _carry_over(self, project_id: ProjectId, experiment_ids: Collection[ExperimentId]) -> None:
        rows = await self._store.summary(project_id, sorted(experiment_ids), None)
        for start in range(0, len(rows), _ROWS_A_UNIT):
            async with self._units.writing() as unit:
                await unit.summaries.keep_series([_mark(row) for row in rows[start : start + _ROWS_A_UNIT]])
                await unit.commit()


def _mark(row: SeriesSummary) -> SeriesMark:
    return SeriesMark(
        experiment_id=row.experiment_id,
        name=row.name,
        points=row.count,
        last=row.last_value,
        min=math.nan if row.min_value is None else row.min_value,
        max=math.nan if row.max_value is None else row.max_value,
    )


def _running(projects: tuple[ProjectId, ...], now: datetime) -> Search:
    is_running = Compare(Column(Builtin.STATUS), Operator.EQUAL, Status.RUNNING.value)
    return Search(projects, frozenset(), is_running, NEWEST_FIRST, _RUNNING_AT_MOST, None, now)
