"""Time series in memory: for tests, and for embedders that keep nothing."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tracker.domain.errors import Invalid, NotFound, Unavailable
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import Float64s, Int64s, ScalarBatch, StepTags
from tracker.domain.scalars.downsampling import thin
from tracker.domain.scalars.series import (
    Fault,
    News,
    Ranking,
    SampledSeries,
    SampleQuery,
    Series,
    SeriesSummary,
    StoreStats,
    TimeWindow,
)

__all__ = ["MemoryScalarStore"]

_T = TypeVar("_T")
_Columns = tuple[Int64s, Int64s, Float64s]
_CURSOR = re.compile(r"m([0-9]{1,18})")


@dataclass
class _Experiment:
    pieces: dict[str, list[tuple[int, _Columns]]] = field(default_factory=dict)
    batches: set[BatchId] = field(default_factory=set)
    tags: list[tuple[int | None, StepTags]] = field(default_factory=list)

    def columns(self, name: str, after: int = 0) -> _Columns:
        """Step, time and value of a series by (step, arrival), of what came after so many batches."""
        pieces = [columns for arrival, columns in self.pieces[name] if arrival > after]
        if not pieces:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        step, time, value = (np.concatenate(column) for column in zip(*pieces, strict=True))
        order = np.argsort(step, kind="stable")
        return step[order], time[order], value[order]

    def branched(self, step: int) -> _Experiment:
        """What stands at `step` and behind, which is here no more; it came at the same times."""
        branch = _Experiment(batches=set(self.batches))
        for name, pieces in list(self.pieces.items()):
            kept = [(arrival, _rows(columns, columns[0] < step)) for arrival, columns in pieces]
            moved = [(arrival, _rows(columns, columns[0] >= step)) for arrival, columns in pieces]
            for found, into in ((kept, self.pieces), (moved, branch.pieces)):
                into[name] = [piece for piece in found if len(piece[1][0])]
                if not into[name]:
                    del into[name]
        branch.tags = [entry for entry in self.tags if entry[1].step >= step]
        self.tags = [entry for entry in self.tags if entry[1].step < step]
        return branch


@dataclass
class _Project:
    experiments: dict[ExperimentId, _Experiment] = field(default_factory=dict)
    gone: set[ExperimentId] = field(default_factory=set)


class MemoryScalarStore:
    """A :class:`~tracker.ports.scalars.ScalarStore` that lives as long as its process."""

    def __init__(self) -> None:
        self._projects: dict[ProjectId, _Project] = {}
        self._gone: set[ProjectId] = set()
        self._closed = False

    async def append(self, project_id: ProjectId, batch: ScalarBatch) -> None:
        """See the port."""
        await self.check()
        if project_id in self._gone:
            raise NotFound.of("project", project_id)
        project = self._projects.setdefault(project_id, _Project())
        if batch.experiment_id in project.gone:
            raise NotFound.of("experiment", batch.experiment_id)
        experiment = project.experiments.setdefault(batch.experiment_id, _Experiment())
        if batch.id in experiment.batches:
            return
        experiment.batches.add(batch.id)
        for name, step, time, value in batch.split():
            # Copies: the caller may go on writing into its own arrays.
            piece = len(experiment.batches), (step.copy(), time.copy(), value.copy())
            experiment.pieces.setdefault(name, []).append(piece)
        latest = int(batch.time.max()) if len(batch) else None
        experiment.tags.extend((latest, tags) for tags in batch.tags)

    async def read(
        self,
        project_id: ProjectId,
        experiment_id: ExperimentId,
        name: str,
        *,
        start: int | None = None,
        stop: int | None = None,
    ) -> Series:
        """See the port."""
        experiment = self._experiments(project_id).get(experiment_id)
        if experiment is None or name not in experiment.pieces:
            return _series(experiment_id, name, np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        step, time, value = experiment.columns(name)
        first = 0 if start is None else int(np.searchsorted(step, start))
        last = len(step) if stop is None else int(np.searchsorted(step, stop))
        return _series(experiment_id, name, step[first:last], time[first:last], value[first:last])

    async def sample(self, project_id: ProjectId, query: SampleQuery) -> tuple[SampledSeries, ...]:
        """See the port."""
        experiments = self._experiments(project_id)
        return tuple(
            sampled
            for experiment_id in query.experiments
            if experiment_id in experiments
            for name in sorted(_chosen(experiments[experiment_id].pieces, query.names))
            if (sampled := _sample(experiment_id, name, experiments[experiment_id].columns(name), query))
        )

    async def since(
        self,
        project_id: ProjectId,
        experiment_id: ExperimentId,
        cursor: str | None = None,
        *,
        names: Collection[str] | None = None,
    ) -> News:
        """See the port."""
        experiment = self._experiments(project_id).get(experiment_id)
        if experiment is None:
            return News((), f"m{_batches_seen(cursor, 2**63)}")
        seen = _batches_seen(cursor, len(experiment.batches))
        new = (
            _series(experiment_id, name, *experiment.columns(name, seen))
            for name in sorted(_chosen(experiment.pieces, names))
        )
        return News(tuple(series for series in new if len(series)), f"m{len(experiment.batches)}")

    async def summary(
        self,
        project_id: ProjectId,
        experiments: Collection[ExperimentId] | None = None,
        names: Collection[str] | None = None,
    ) -> tuple[SeriesSummary, ...]:
        """See the port."""
        known = self._experiments(project_id)
        return tuple(
            _summary(experiment_id, name, *known[experiment_id].columns(name))
            for experiment_id in sorted(_chosen(known, experiments))
            for name in sorted(_chosen(known[experiment_id].pieces, names))
        )

    async def top(
        self,
        project_id: ProjectId,
        name: str,
        *,
        by: Ranking = Ranking.LAST,
        k: int = 10,
        descending: bool = True,
    ) -> tuple[SeriesSummary, ...]:
        """See the port."""
        ranked = [
            (-rank if descending else rank, row.experiment_id, row)
            for row in await self.summary(project_id, names=(name,))
            if (rank := row.rank_value(by)) is not None and not np.isnan(rank)
        ]
        return tuple(row for *_, row in sorted(ranked, key=lambda entry: entry[:2])[: max(k, 0)])

    async def tags(
        self, project_id: ProjectId, experiment_id: ExperimentId, window: TimeWindow
    ) -> tuple[StepTags, ...]:
        """See the port. Tags of a batch without points lie in no bounded window."""
        experiment = self._experiments(project_id).get(experiment_id, _Experiment())
        inside = [tags for time, tags in experiment.tags if _inside(time, window)]
        return tuple(sorted(inside, key=lambda tags: tags.step))

    async def branch(
        self, project_id: ProjectId, experiment_id: ExperimentId, *, step: int, into: ExperimentId
    ) -> None:
        """See the port."""
        await self.check()
        if project_id in self._gone:
            raise NotFound.of("project", project_id)
        project = self._projects.setdefault(project_id, _Project())
        if into in project.experiments or into in project.gone:
            return
        if experiment_id in project.gone:
            raise NotFound.of("experiment", experiment_id)
        experiment = project.experiments.setdefault(experiment_id, _Experiment())
        project.experiments[into] = experiment.branched(step)

    async def delete(self, project_id: ProjectId, experiment_id: ExperimentId | None = None) -> None:
        """See the port."""
        if experiment_id is None:
            self._projects.pop(project_id, None)
            self._gone.add(project_id)
        elif project_id not in self._gone:
            project = self._projects.setdefault(project_id, _Project())
            project.experiments.pop(experiment_id, None)
            project.gone.add(experiment_id)

    async def settle(self, project_id: ProjectId, experiment_id: ExperimentId) -> None:
        """See the port; here nothing is compressed."""
        self._experiments(project_id)

    async def stats(self, project_id: ProjectId) -> StoreStats:
        """See the port; 24 bytes a point."""
        known = [found for found in self._experiments(project_id).values() if found.pieces]
        counts = [len(found.columns(name)[0]) for found in known for name in found.pieces]
        return StoreStats(len(known), len(counts), sum(counts), loose=0, bytes=24 * sum(counts))

    async def verify(self, project_id: ProjectId) -> tuple[Fault, ...]:
        """See the port; what is kept here once is kept nowhere else, so there is nothing to compare."""
        self._experiments(project_id)
        return ()

    async def maintain(self, budget: float) -> None:
        """See the port; there is nothing to do."""
        self._require_open()

    async def check(self) -> None:
        """See the port."""
        self._require_open()

    async def close(self) -> None:
        """See the port."""
        self._closed = True

    def _experiments(self, project_id: ProjectId) -> dict[ExperimentId, _Experiment]:
        self._require_open()
        project = self._projects.get(project_id)
        return {} if project is None else project.experiments

    def _require_open(self) -> None:
        if self._closed:
            raise Unavailable("the scalar store is closed")


def _batches_seen(cursor: str | None, batches: int) -> int:
    if cursor is None:
        return 0
    found = _CURSOR.fullmatch(cursor)
    if found is None or int(found[1]) > batches:
        raise Invalid.field("cursor", "is none that was given for this experiment", "cursor")
    return int(found[1])


def _chosen(known: Collection[_T], asked: Collection[_T] | None) -> list[_T]:
    return [key for key in known if asked is None or key in asked]


def _rows(columns: _Columns, rows: NDArray[np.bool_]) -> _Columns:
    step, time, value = columns
    return step[rows], time[rows], value[rows]


def _series(experiment_id: ExperimentId, name: str, step: Int64s, time: Int64s, value: Float64s) -> Series:
    return Series(experiment_id=experiment_id, name=name, step=step, time=time, value=value)


def _sample(
    experiment_id: ExperimentId, name: str, columns: _Columns, query: SampleQuery
) -> SampledSeries | None:
    step, time, value = columns
    mask = query.mask(step, time)
    if mask is not None:
        step, time, value = step[mask], time[mask], value[mask]
    if not len(value):
        return None
    thinned = thin(step, time, value, query.max_points, query.axis)
    return SampledSeries(experiment_id=experiment_id, name=name, **thinned._asdict())


def _summary(
    experiment_id: ExperimentId, name: str, step: Int64s, time: Int64s, value: Float64s
) -> SeriesSummary:
    last = np.lexsort((time, step))[-1]  # stable, so that of equals the latest arrival is last
    finite = value[np.isfinite(value)]
    return SeriesSummary(
        experiment_id=experiment_id,
        name=name,
        count=len(value),
        non_finite=len(value) - len(finite),
        first_step=int(step[0]),
        last_step=int(step[-1]),
        last_time=int(time[last]),
        last_value=float(value[last]),
        modified=int(time.max()),
        min_value=float(finite.min()) if len(finite) else None,
        max_value=float(finite.max()) if len(finite) else None,
    )


def _inside(time: int | None, window: TimeWindow) -> bool:
    mask = window.mask(np.array([] if time is None else [time], np.int64))
    return mask is None or bool(mask.any())
