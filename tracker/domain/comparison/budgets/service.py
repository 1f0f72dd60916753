"""Compares experiments at the same budget, from their time series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tracker.domain.comparison.budget import AtBudget, BudgetComparison, ReadPoint, ahead, at_budget, told
from tracker.domain.comparison.service import visible_experiments
from tracker.domain.errors import Invalid
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.projects.project import Direction, Project
from tracker.domain.scalars.series import Axis, SampledSeries, SampleQuery, TimeWindow
from tracker.ports.scalars import ScalarStore
from tracker.ports.unit_of_work import UnitsOfWork

__all__ = ["BudgetService"]

_EXTREMES = 4
"""Points of a sample of one bucket: the first, the last, the lowest and the highest."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST, _LAST = -(2**63), 2**63 - 2


class _Extent(NamedTuple):
    """Where the series of a run begins and ends, on the axis; times count from its start."""

    origin: int
    end: int


class BudgetService:
    """Tells which experiment was ahead when all had had the same.

    Of each series a few points are read, however long it is.

    Args:
        units: opens units of work.
        store: of the series.
    """

    def __init__(self, units: UnitsOfWork, store: ScalarStore) -> None:
        self._units = units
        self._store = store

    async def compare(
        self,
        actor: Actor,
        experiment_ids: Sequence[ExperimentId],
        scalar: str,
        *,
        axis: Axis = Axis.STEP,
        at: float | None = None,
        direction: Direction | None = None,
    ) -> BudgetComparison:
        """The value of a scalar for each experiment at the last point not beyond the budget.

        Args:
            actor: who asks.
            experiment_ids: at most 100, of one project or several.
            scalar: its name.
            axis: whether the budget is counted in steps or in time.
            at: the budget, in steps or seconds since a run started; ``None`` = the largest that all which
                have the scalar came to.
            direction: which way is better; ``None`` = as the first experiment's project tracks it, else by
                growing.

        Raises:
            NotFound: one is not there, or `actor` may not see it.
            Forbidden: they may not see the experiments or scalars of its project.
            Invalid: there are no experiments or more than 100, or `at` is not finite.
            Unavailable: the store does not answer.
        """
        if at is not None and not _FIRST <= at <= -_FIRST:
            raise Invalid.field("at", "must be a number of steps or seconds within 64 bits")
        async with self._units.reading() as unit:
            needed = Action.SCALARS_VIEW, Action.EXPERIMENTS_VIEW
            found, projects = await visible_experiments(unit, actor, experiment_ids, *needed)
        way = direction or _direction(projects[found[0].project_id], scalar)
        extents = await self._extents(found, scalar, axis)
        budget = _budget(extents, axis, at)
        rows: list[AtBudget] = []
        if budget is not None:
            read = await self._read(found, scalar, axis, budget, extents)
            rows = [
                _row(each, extents.get(each.id), read.get(each.id), axis=axis, direction=way, budget=budget)
                for each in found
            ]
        else:
            rows = [AtBudget(e.id, e.name, None, None, None, None, 0, False) for e in found]
        first = ahead(rows, way)
        shown = None if budget is None else budget / (1 if axis is Axis.STEP else 1e6)
        return BudgetComparison(
            scalar, way, axis, shown, tuple(rows), first, told(scalar, axis, shown, rows, first)
        )

    async def _extents(
        self, found: Sequence[Experiment], scalar: str, axis: Axis
    ) -> Mapping[ExperimentId, _Extent]:
        extents: dict[ExperimentId, _Extent] = {}
        started = {each.id: each.started_at for each in found}
        for project_id, ids in _by_project(found).items():
            query = SampleQuery(experiments=ids, names=(scalar,), max_points=_EXTREMES, axis=Axis.TIME)
            ends = await self._store.summary(project_id, ids, [scalar]) if axis is Axis.STEP else ()
            last = {row.experiment_id: row.last_step for row in ends if row.name == scalar}
            for series in await self._store.sample(project_id, query):
                key, times = series.experiment_id, series.time.tolist()
                at = started[key]
                origin = min(times) if at is None else min(*times, (at - _EPOCH) // _MICROSECOND)
                end = max(times) - origin if axis is Axis.TIME else last.get(key)
                if end is not None:
                    extents[key] = _Extent(origin, end)
        return extents

    async def _read(
        self,
        found: Sequence[Experiment],
        scalar: str,
        axis: Axis,
        budget: int,
        extents: Mapping[ExperimentId, _Extent],
    ) -> Mapping[ExperimentId, SampledSeries]:
        """What each has up to the budget: in steps in one go, in time each from its own start."""
        asked: list[tuple[ProjectId, SampleQuery]] = []
        for project_id, ids in _by_project([each for each in found if each.id in extents]).items():
            query = SampleQuery(experiments=ids, names=(scalar,), max_points=_EXTREMES, axis=axis)
            if axis is Axis.STEP:
                asked.append((project_id, query.evolve(stop=budget + 1)))
                continue
            for key in ids:
                stop = max(_FIRST, min(_LAST, extents[key].origin + budget))
                asked.append((project_id, query.evolve(experiments=(key,), window=TimeWindow(stop=stop))))
        series = [each for place, query in asked for each in await self._store.sample(place, query)]
        return {each.experiment_id: each for each in series}


def _by_project(found: Sequence[Experiment]) -> dict[ProjectId, tuple[ExperimentId, ...]]:
    homes: dict[ProjectId, tuple[ExperimentId, ...]] = {}
    for each in found:
        homes[each.project_id] = (*homes.get(each.project_id, ()), each.id)
    return homes


def _direction(project: Project, scalar: str) -> Direction:
    named = [each for each in project.metrics if each.name == scalar]
    tracked = [each for each in named if each.label is None] or named
    return tracked[0].direction if tracked else Direction.MAXIMIZE


def _budget(extents: Mapping[ExperimentId, _Extent], axis: Axis, at: float | None) -> int | None:
    """In steps or microseconds."""
    if not extents:
        return None
    if at is None:
        return min(each.end for each in extents.values())
    return max(_FIRST, min(_LAST, int(at // 1 if axis is Axis.STEP else round(at * 1e6))))


def _row(
    experiment: Experiment,
    extent: _Extent | None,
    series: SampledSeries | None,
    *,
    axis: Axis,
    direction: Direction,
    budget: int,
) -> AtBudget:
    points: list[ReadPoint] = []
    if series is not None:
        columns = series.step.tolist(), series.time.tolist(), series.value.tolist()
        points = list(zip(*columns, strict=True))
    return at_budget(
        experiment.id, experiment.name, points,
        axis=axis, direction=direction,
        origin=None if extent is None else extent.origin,
        total=0 if series is None else series.total,
        reached=extent is not None and extent.end >= budget,
    )  # fmt: skip
