"""Use cases of what searches know of time series."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tracker.domain.errors import Unavailable
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.metrics.summary import SeriesMark
from tracker.domain.scalars.series import SeriesSummary
from tracker.domain.search.ordering import NEWEST_FIRST, Search
from tracker.domain.search.query import Builtin, Column, Compare, Operator
from tracker.domain.search.summaries.tails import LAST_PART, spread_of, tail_length
from tracker.ports.clock import Clock
from tracker.ports.scalars import ScalarStore
from tracker.ports.unit_of_work import UnitsOfWork

__all__ = ["SummaryService"]

_GROWTH = 2
_MANY_SERIES = 20
_FEW_POINTS = 2_000_000
_REMEMBERED = 100_000
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
        self._spreads: dict[tuple[ExperimentId, str], tuple[int, float | None]] = {}

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
        while waiting:
            project_id, experiment_ids = waiting.popitem()
            try:
                await self._carry_over(project_id, experiment_ids)
            except BaseException as error:
                for each in experiment_ids:
                    self.note(project_id, each)
                if not isinstance(error, Unavailable):
                    raise
                failure = error
        if failure is not None:
            raise failure

    async def settle(self, project_id: ProjectId, experiment_id: ExperimentId) -> None:
        """Carries over, whole and for the last time, what the series of an ended run are like.

        A store that does not answer now is no error: the next refresh does it.
        """
        self.note(project_id, experiment_id)
        self._forget(experiment_id)
        try:
            await self._carry_over(project_id, {experiment_id})
        except Unavailable:
            return
        self._waiting.get(project_id, set()).discard(experiment_id)
        self._forget(experiment_id)

    async def _catch_up(self) -> None:
        """Takes note of all experiments that are running."""
        async with self._units.reading() as unit:
            projects = tuple(project.id for project in await unit.projects.list())
            running = await unit.search.page(_running(projects, self._clock.now())) if projects else ()
            for run in (await unit.experiments.get_many([place.id for place in running])).values():
                self.note(run.project_id, run.id)

    async def _carry_over(self, project_id: ProjectId, experiment_ids: Collection[ExperimentId]) -> None:
        rows = await self._store.summary(project_id, sorted(experiment_ids), None)
        await self._read_spreads(project_id, rows)
        marks = [_mark(row, self._spreads[row.experiment_id, row.name][1]) for row in rows]
        if marks:
            async with self._units.writing() as unit:
                await unit.summaries.keep_series(marks)
                await unit.commit()

    async def _read_spreads(self, project_id: ProjectId, rows: Sequence[SeriesSummary]) -> None:
        """Of the ends of series: read anew when they have doubled, so that each point is read about once."""
        if len(self._spreads) > _REMEMBERED:
            self._spreads.clear()
        grown: dict[ExperimentId, list[SeriesSummary]] = {}
        for row in rows:
            if row.count >= _GROWTH * self._spreads.get((row.experiment_id, row.name), (0, None))[0]:
                grown.setdefault(row.experiment_id, []).append(row)
        for experiment_id, series in grown.items():
            if len(series) > _MANY_SERIES and sum(row.count for row in series) <= _FEW_POINTS:
                whole, _ = await self._store.since(project_id, experiment_id, None, names=None)
                values = {each.name: each.value for each in whole}
            else:
                values = {row.name: await self._end(project_id, row) for row in series}
            for row in series:
                end = values[row.name][-tail_length(row.count) :]
                self._spreads[experiment_id, row.name] = row.count, spread_of(end)

    async def _end(self, project_id: ProjectId, row: SeriesSummary) -> NDArray[np.float64]:
        """The last tenth of a series, or more."""
        # Where steps lie evenly, a tenth of the points are in the last tenth of them; a few more are read.
        start = row.last_step - int((row.last_step - row.first_step) * 1.5 * LAST_PART)
        series = await self._store.read(project_id, row.experiment_id, row.name, start=start)
        if len(series) < tail_length(row.count):
            series = await self._store.read(project_id, row.experiment_id, row.name)
        return series.value

    def _forget(self, experiment_id: ExperimentId) -> None:
        for key in [key for key in self._spreads if key[0] == experiment_id]:
            del self._spreads[key]


def _mark(row: SeriesSummary, spread: float | None) -> SeriesMark:
    return SeriesMark(
        experiment_id=row.experiment_id,
        name=row.name,
        points=row.count,
        last=row.last_value,
        min=math.nan if row.min_value is None else row.min_value,
        max=math.nan if row.max_value is None else row.max_value,
        spread=spread,
    )


def _running(projects: tuple[ProjectId, ...], now: datetime) -> Search:
    is_running = Compare(Column(Builtin.STATUS), Operator.EQUAL, Status.RUNNING.value)
    return Search(projects, frozenset(), is_running, NEWEST_FIRST, _RUNNING_AT_MOST, None, now)
