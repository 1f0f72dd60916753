"""A scalars service that speaks the contract and nothing more."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from tracker.adapters.scalars.http.link import Link
from tracker.adapters.scalars.http.records import inside, records_of, series_of, summary_of
from tracker.domain.errors import NotFound, Unavailable
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.domain.scalars.downsampling import thin
from tracker.domain.scalars.series import (
    Axis,
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

__all__ = ["ContractService"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_OPEN = TimeWindow()
_REMEMBERED_BATCHES = 10_000
_EXPERIMENTS_A_REQUEST = 50
_NOWHERE = UUID(int=0)
_NOTHING: dict[str, Any] = {"data": ()}


class ContractService:
    """A :class:`~tracker.ports.scalars.ScalarStore` as good as the contract allows.

    What the contract's routes cannot carry:

    - **Batch ids.** The last 10,000 acknowledged batches are recognised, as long as this process
      lives. A batch whose answer got lost is not sent again here; whoever sends it again doubles it.
    - **Times.** A point gets the time of its arrival. Points come back with time 0; time windows are
      left to the service; a sample along the time axis has its buckets along the steps.
    - **NaN payloads**, when the service answers JSON.
    - **Ranges, samples that keep every extreme, summaries and rankings.** They are computed here from
      all points of the experiments asked for, which a large project feels.
    - **Deleting one experiment.** Its points are hidden from this process and refused from then on,
      and take room until the project is deleted.
    - **News since a cursor, branches, and verification.** They are refused as ``Unavailable``.
    - **Maintenance.** It is the service's own affair; how many bytes it takes is not told.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._created: set[ProjectId] = set()
        self._creating: dict[ProjectId, asyncio.Lock] = {}
        self._gone: set[UUID] = set()
        self._kept: OrderedDict[tuple[ExperimentId, BatchId], None] = OrderedDict()

    async def append(self, project_id: ProjectId, batch: ScalarBatch) -> None:
        """See the port, and what the class says of batch ids."""
        for kind, key in (("project", project_id), ("experiment", batch.experiment_id)):
            if key in self._gone:
                raise NotFound.of(kind, key)
        if (batch.experiment_id, batch.id) in self._kept:
            return
        body = {"scalars": records_of(batch)}
        path = f"/scalars/log_batch/{project_id}/{batch.experiment_id}"
        await self._create(project_id)
        try:
            await self._link.post(path, body, writes=True, repeatable=False)
        except NotFound:  # somebody emptied the service
            self._created.discard(project_id)
            await self._create(project_id)
            await self._link.post(path, body, writes=True, repeatable=False)
        self._kept[batch.experiment_id, batch.id] = None
        if len(self._kept) > _REMEMBERED_BATCHES:
            self._kept.popitem(last=False)

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
        for series in await self._all_points(project_id, [experiment_id]):
            if series.name == name:
                return inside(series, start, stop)
        whole, real = np.empty(0, np.int64), np.empty(0, np.float64)
        return Series(experiment_id=experiment_id, name=name, step=whole, time=whole, value=real)

    async def sample(self, project_id: ProjectId, query: SampleQuery) -> tuple[SampledSeries, ...]:
        """See the port."""
        found: dict[ExperimentId, list[SampledSeries]] = {key: [] for key in query.experiments}
        for series in await self._all_points(project_id, query.experiments, query.window):
            if query.names is None or series.name in query.names:
                points = inside(series, query.start, query.stop)
                if not len(points):
                    continue
                thinned = thin(points.step, points.time, points.value, query.max_points, Axis.STEP)
                one = SampledSeries(experiment_id=series.experiment_id, name=series.name, **thinned._asdict())
                found[series.experiment_id].append(one)
        return tuple(
            one for key in query.experiments for one in sorted(found[key], key=lambda each: each.name)
        )

    async def since(
        self,
        project_id: ProjectId,
        experiment_id: ExperimentId,
        cursor: str | None = None,
        *,
        names: Collection[str] | None = None,
    ) -> News:
        """Refused: see the class."""
        raise Unavailable("this scalars service cannot tell what is new since a cursor")

    async def summary(
        self,
        project_id: ProjectId,
        experiments: Collection[ExperimentId] | None = None,
        names: Collection[str] | None = None,
    ) -> tuple[SeriesSummary, ...]:
        """See the port."""
        asked = await self._experiments(project_id) if experiments is None else sorted(experiments)
        rows = []
        modified = await self._modified(project_id) if asked else {}
        for part in _parts(asked):
            rows += [
                summary_of(series, modified.get(series.experiment_id, 0))
                for series in await self._all_points(project_id, part)
                if names is None or series.name in names
            ]
        return tuple(sorted(rows, key=lambda row: (row.experiment_id, row.name)))

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
        """See the port."""
        query = {**_window(window), "experiment_id": [str(experiment_id)], "return_tags": "true"}
        found = await self._curves(project_id, {**query, "sampling": "all"})
        with self._link.legible():
            tags = [
                StepTags(step=each["step"], names=tuple(each["scalar_names"]), tags=tuple(each["tags"]))
                for entry in found["data"]
                for each in entry.get("tags") or ()
                if each["tags"] and experiment_id not in self._gone
            ]
        return tuple(sorted(tags, key=lambda each: each.step))

    async def branch(
        self, project_id: ProjectId, experiment_id: ExperimentId, *, step: int, into: ExperimentId
    ) -> None:
        """Refused: see the class."""
        raise Unavailable(
            "this scalars service cannot keep what a resumed run left behind: resume without a step",
            retry_after=60.0,
        )

    async def delete(self, project_id: ProjectId, experiment_id: ExperimentId | None = None) -> None:
        """See the port, and what the class says of deleting one experiment."""
        if experiment_id is not None:
            self._gone.add(experiment_id)
            return
        with contextlib.suppress(NotFound):  # then it has none of its points
            await self._link.delete(f"/projects/{project_id}")
        self._gone.add(project_id)
        self._created.discard(project_id)

    async def settle(self, project_id: ProjectId, experiment_id: ExperimentId) -> None:
        """Nothing: see the class."""

    async def stats(self, project_id: ProjectId) -> StoreStats:
        """See the port, and the class."""
        rows = await self.summary(project_id)
        experiments = {row.experiment_id for row in rows}
        return StoreStats(len(experiments), len(rows), sum(row.count for row in rows), loose=0, bytes=0)

    async def verify(self, project_id: ProjectId) -> tuple[Fault, ...]:
        """Refused: see the class."""
        raise Unavailable("this scalars service cannot verify what it keeps")

    async def maintain(self, budget: float) -> None:
        """Nothing: see the class."""

    async def check(self) -> None:
        """See the port."""
        await self._link.get(f"/projects/exists/{_NOWHERE}")

    async def _create(self, project_id: ProjectId) -> None:
        if project_id in self._created:
            return
        # Of runs that begin at once, one creates. If that fails, the others need not wait as long again.
        async with self._creating.setdefault(project_id, asyncio.Lock()):
            if project_id not in self._created:
                self._link.breaker.require_closed()
                await self._link.post("/projects", {"project_id": str(project_id)}, writes=True)
                self._created.add(project_id)
        self._creating.pop(project_id, None)

    async def _experiments(self, project_id: ProjectId) -> list[ExperimentId]:
        try:
            found = await self._link.get(f"/projects/experiments/{project_id}")
        except NotFound:
            return []
        with self._link.legible():
            return sorted(ExperimentId(UUID(each["experiment_id"])) for each in found)

    async def _modified(self, project_id: ProjectId) -> dict[ExperimentId, int]:
        """When each experiment last got a point, in microseconds since 1970 UTC."""
        try:
            found = await self._link.post(f"/scalars/last_logged/{project_id}", {})
        except NotFound:
            return {}
        with self._link.legible():
            return {
                ExperimentId(UUID(each["experiment_id"])): _microseconds(each["last_modified"])
                for each in found["data"]
            }

    async def _all_points(
        self, project_id: ProjectId, experiments: Sequence[ExperimentId], window: TimeWindow = _OPEN
    ) -> list[Series]:
        points: list[Series] = []
        for part in _parts([key for key in experiments if key not in self._gone]):
            query = {**_window(window), "experiment_id": [str(key) for key in part], "sampling": "all"}
            found = await self._curves(project_id, query)
            with self._link.legible():
                points += [
                    series
                    for entry in found["data"]
                    for series in series_of(entry)
                    if len(series) and series.experiment_id in part
                ]
        return points

    async def _curves(self, project_id: ProjectId, query: dict[str, Any]) -> Any:
        try:
            return (
                _NOTHING
                if project_id in self._gone
                else await self._link.get(f"/scalars/get/{project_id}", query)
            )
        except NotFound:
            return _NOTHING


def _parts(experiments: Sequence[ExperimentId]) -> Iterator[Sequence[ExperimentId]]:
    for start in range(0, len(experiments), _EXPERIMENTS_A_REQUEST):
        yield experiments[start : start + _EXPERIMENTS_A_REQUEST]


def _window(window: TimeWindow) -> dict[str, str]:
    edges = {"start_time": window.start, "end_time": window.stop}
    return {name: _text(edge) for name, edge in edges.items() if edge is not None}


def _text(microseconds: int) -> str:
    """ISO 8601; moments outside of the calendar become its ends."""
    try:
        return (_EPOCH + _MICROSECOND * microseconds).isoformat()
    except OverflowError:
        return "9999-12-31T23:59:59.999999+00:00" if microseconds > 0 else "0001-01-01T00:00:00+00:00"


def _microseconds(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND
