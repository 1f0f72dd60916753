"""The store of time series in PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from asyncpg import Connection

from tracker.adapters.scalars.postgres import reading, upkeep, writing
from tracker.adapters.scalars.postgres.branching import branch
from tracker.adapters.scalars.postgres.connections import Connections
from tracker.adapters.scalars.postgres.folding import fold
from tracker.adapters.scalars.postgres.group_commit import GroupCommit, KnownNumbers
from tracker.adapters.scalars.postgres.sampling import sample
from tracker.domain.errors import Unavailable
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch, StepTags
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

__all__ = ["PostgresScalarStore"]

_T = TypeVar("_T")


class PostgresScalarStore:
    """A :class:`~tracker.ports.scalars.ScalarStore` in the schema ``tracker_scalars`` of a database.

    Any number of processes may use one database. The schema is made, and upgraded, by the store. A
    store belongs to the event loop that uses it first.

    When the connection is lost while a group is committed, the group is sent once more, which its
    batches' ids make safe; if that fails too, ``Unavailable`` is raised though the batch may have been
    kept: the same batch sent again settles it.

    Args:
        url: ``postgresql://user:password@host:port/database``.
        queue_points: how many points may wait for one project.

    Raises:
        Invalid: `url` is no such URL.
    """

    def __init__(self, url: str, *, queue_points: int = 8_000_000) -> None:
        self._connections = Connections(url)
        self._queue_points = queue_points
        self._known = KnownNumbers()
        self._projects: dict[ProjectId, GroupCommit] = {}
        self._closed = False

    async def append(self, project_id: ProjectId, batch: ScalarBatch) -> None:
        """See the port."""
        self._require_open()
        project = self._projects.get(project_id)
        if project is None:
            project = GroupCommit(self._connections, project_id, self._known, self._queue_points)
            self._projects[project_id] = project
        await project.append(batch)

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
        return await self._read(
            lambda connection: reading.read(
                connection, project_id, experiment_id, name, start=start, stop=stop
            )
        )

    async def sample(self, project_id: ProjectId, query: SampleQuery) -> tuple[SampledSeries, ...]:
        """See the port."""
        return await self._read(lambda connection: sample(connection, project_id, query))

    async def since(
        self,
        project_id: ProjectId,
        experiment_id: ExperimentId,
        cursor: str | None = None,
        *,
        names: Collection[str] | None = None,
    ) -> News:
        """See the port."""
        return await self._read(
            lambda connection: reading.since(connection, project_id, experiment_id, cursor, names)
        )

    async def summary(
        self,
        project_id: ProjectId,
        experiments: Collection[ExperimentId] | None = None,
        names: Collection[str] | None = None,
    ) -> tuple[SeriesSummary, ...]:
        """See the port."""
        return await self._read(
            lambda connection: reading.summary(connection, project_id, experiments, names)
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
        return await self._read(
            lambda connection: reading.top(connection, project_id, name, by=by, k=k, descending=descending)
        )

    async def tags(
        self, project_id: ProjectId, experiment_id: ExperimentId, window: TimeWindow
    ) -> tuple[StepTags, ...]:
        """See the port."""
        return await self._read(
            lambda connection: reading.tags(connection, project_id, experiment_id, window)
        )

    async def branch(
        self, project_id: ProjectId, experiment_id: ExperimentId, *, step: int, into: ExperimentId
    ) -> None:
        """See the port."""
        self._require_open()
        await self._connections.writing(
            lambda connection: branch(connection, project_id, experiment_id, step, into)
        )

    async def delete(self, project_id: ProjectId, experiment_id: ExperimentId | None = None) -> None:
        """See the port. PostgreSQL's autovacuum gives the room to what comes next."""
        self._require_open()
        if experiment_id is not None:
            run = experiment_id
            await self._connections.writing(
                lambda connection: writing.delete_experiment(connection, project_id, run)
            )
            return
        await self._connections.writing(lambda connection: writing.mark_project(connection, project_id))
        await self._connections.writing(lambda connection: writing.hide_project(connection, project_id))
        while await self._connections.writing(lambda connection: writing.remove_some(connection, project_id)):
            pass

    async def settle(self, project_id: ProjectId, experiment_id: ExperimentId) -> None:
        """See the port."""
        key = await self._read(
            lambda connection: connection.fetchval(
                "SELECT id FROM experiment WHERE project = $1 AND uuid = $2", project_id, experiment_id
            )
        )
        if key is not None:
            await fold(self._connections, key)

    async def stats(self, project_id: ProjectId) -> StoreStats:
        """See the port."""
        return await self._read(lambda connection: upkeep.stats(connection, project_id))

    async def verify(self, project_id: ProjectId) -> tuple[Fault, ...]:
        """See the port."""
        return await self._read(lambda connection: upkeep.faults(connection, project_id))

    async def maintain(self, budget: float) -> None:
        """See the port. It folds tails; the rest is autovacuum's."""
        deadline = time.monotonic() + budget
        for key in await self._read(upkeep.with_tails):
            if time.monotonic() > deadline:
                return
            await fold(self._connections, key)

    async def check(self) -> None:
        """See the port."""
        self._require_open()
        await self._connections.writing(
            lambda connection: connection.execute("SELECT FROM experiment FOR UPDATE LIMIT 0")
        )

    async def close(self) -> None:
        """See the port."""
        self._closed = True
        await asyncio.gather(*(project.finish() for project in self._projects.values()))
        await self._connections.close()

    async def _read(self, ask: Callable[[Connection], Awaitable[_T]]) -> _T:
        self._require_open()
        return await self._connections.reading(ask)

    def _require_open(self) -> None:
        if self._closed:
            raise Unavailable("the scalar store is closed")
