"""The store of time series in ClickHouse."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from clickhouse_connect.driver.client import Client

from tracker.adapters.scalars.clickhouse import reading, upkeep, writing
from tracker.adapters.scalars.clickhouse.address import Address
from tracker.adapters.scalars.clickhouse.branching import branch
from tracker.adapters.scalars.clickhouse.clients import Clients
from tracker.adapters.scalars.clickhouse.sampling import sample
from tracker.domain.errors import TooManyRequests, Unavailable
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

__all__ = ["ClickHouseScalarStore"]

_T = TypeVar("_T")
_P = ParamSpec("_P")
_WRITERS, _READERS = 64, 8
_WAITING = 4096


class ClickHouseScalarStore:
    """A :class:`~tracker.ports.scalars.ScalarStore` in a database of a ClickHouse server.

    Any number of processes may use one database. Arrival is told by the server's own clock and
    counter, so "arrival order" across several replicas is as exact as their clocks.

    It is developed and tested over the embedded engine (``chdb:///folder``), which runs the same
    queries in this process. What that does not cover: replication, a server under the load of many
    connections, and a network that fails in the middle of a request.

    Args:
        url: ``clickhouse://user:password@host:8123/database``, ``clickhouses://`` for TLS, or
            ``chdb:///folder?database=name``. Database and tables are made when they are not there.

    Raises:
        Invalid: `url` is none of these.
    """

    def __init__(self, url: str) -> None:
        self._clients = Clients(Address.parse(url))
        # A writer waits for the server to gather inserts: the more wait, the more it gathers.
        self._writers = ThreadPoolExecutor(_WRITERS, "clickhouse-write")
        self._readers = ThreadPoolExecutor(_READERS, "clickhouse-read")
        self._appending = 0
        self._guard = threading.Lock()
        self._branching = threading.Lock()
        self._closed = False

    async def append(self, project_id: ProjectId, batch: ScalarBatch) -> None:
        """See the port."""
        if self._appending >= _WAITING:
            raise TooManyRequests("too many batches wait for ClickHouse", retry_after=0.5)
        self._appending += 1
        try:
            await self._with(self._writers, writing.append, project_id, batch)
        finally:
            self._appending -= 1

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
        return await self._with(
            self._readers, reading.read, project_id, experiment_id, name, start=start, stop=stop
        )

    async def sample(self, project_id: ProjectId, query: SampleQuery) -> tuple[SampledSeries, ...]:
        """See the port."""
        return await self._with(self._readers, sample, project_id, query)

    async def since(
        self,
        project_id: ProjectId,
        experiment_id: ExperimentId,
        cursor: str | None = None,
        *,
        names: Collection[str] | None = None,
    ) -> News:
        """See the port."""
        return await self._with(self._readers, reading.since, project_id, experiment_id, cursor, names)

    async def summary(
        self,
        project_id: ProjectId,
        experiments: Collection[ExperimentId] | None = None,
        names: Collection[str] | None = None,
    ) -> tuple[SeriesSummary, ...]:
        """See the port."""
        return await self._with(self._readers, reading.summary, project_id, experiments, names)

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
        return await self._with(
            self._readers, reading.top, project_id, name, by=by, k=k, descending=descending
        )

    async def tags(
        self, project_id: ProjectId, experiment_id: ExperimentId, window: TimeWindow
    ) -> tuple[StepTags, ...]:
        """See the port."""
        return await self._with(self._readers, reading.tags, project_id, experiment_id, window)

    async def branch(
        self, project_id: ProjectId, experiment_id: ExperimentId, *, step: int, into: ExperimentId
    ) -> None:
        """See the port. Between copying and removing, readers may see points in both places; who tries again
        goes on where a crash came between. Two processes that branch one experiment to two places at the
        same moment may both copy the same points: ClickHouse has no lock that would keep them apart."""
        await self._with(self._writers, self._branch_alone, project_id, experiment_id, step, into)

    async def delete(self, project_id: ProjectId, experiment_id: ExperimentId | None = None) -> None:
        """See the port. Nobody sees the points any more when it returns; their space comes back later."""
        await self._with(self._writers, writing.delete, project_id, experiment_id)

    async def settle(self, project_id: ProjectId, experiment_id: ExperimentId) -> None:
        """See the port; the server compresses all that it takes."""
        self._require_open()

    async def stats(self, project_id: ProjectId) -> StoreStats:
        """See the port."""
        return await self._with(self._readers, upkeep.stats, project_id)

    async def verify(self, project_id: ProjectId) -> tuple[Fault, ...]:
        """See the port."""
        return await self._with(self._readers, upkeep.faults, project_id)

    async def maintain(self, budget: float) -> None:
        """See the port. The server merges parts by itself; what is left is what was deleted."""
        await self._with(self._writers, upkeep.remove_deleted, budget)

    async def check(self) -> None:
        """See the port."""
        await self._with(self._readers, lambda client: client.command("SELECT 1"))

    async def close(self) -> None:
        """See the port."""
        await asyncio.to_thread(self._close)

    def _branch_alone(
        self,
        client: Client,
        project_id: ProjectId,
        experiment_id: ExperimentId,
        step: int,
        into: ExperimentId,
    ) -> None:
        with self._branching:
            branch(client, project_id, experiment_id, step, into)

    async def _with(
        self,
        threads: Executor,
        ask: Callable[Concatenate[Client, _P], _T],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _T:
        def answer() -> _T:
            with self._clients.one() as client:
                return ask(client, *args, **kwargs)

        with self._guard:
            self._require_open()
            future = threads.submit(answer)
        return await asyncio.wrap_future(future)

    def _require_open(self) -> None:
        if self._closed:
            raise Unavailable("the scalar store is closed")

    def _close(self) -> None:
        with self._guard:
            self._closed = True
        self._writers.shutdown()
        self._readers.shutdown()
        self._clients.close()
