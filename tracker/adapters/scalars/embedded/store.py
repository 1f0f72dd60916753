"""The store: one scalars file a project in a folder."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from sqlite3 import Connection
from typing import Literal, TypeVar

from tracker.adapters.scalars.chunks import empty
from tracker.adapters.scalars.embedded import checking, reading
from tracker.adapters.scalars.embedded.branching import branch
from tracker.adapters.scalars.embedded.errors import translated
from tracker.adapters.scalars.embedded.group_commit import GroupCommit
from tracker.adapters.scalars.embedded.maintenance import Upkeep
from tracker.adapters.scalars.embedded.network_folders import refuse_network_folder
from tracker.adapters.scalars.embedded.project_file import ProjectFile
from tracker.adapters.scalars.embedded.sampling import sample
from tracker.adapters.scalars.embedded.writing import delete_experiment
from tracker.domain.errors import NotFound, Unavailable
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

__all__ = ["EmbeddedScalarStore"]

_T = TypeVar("_T")
_LEAST_FREE_BYTES = 1 << 20


class EmbeddedScalarStore:
    """A :class:`~tracker.ports.scalars.ScalarStore` in ``<folder>/<project>.db``.

    Several processes may use one folder. A process must not fork while it has the store open.

    Args:
        folder: on a local disk; made at the first append.
        synchronous: ``"full"`` survives a power cut; ``"normal"`` is faster and survives a
            crash of the process, but a power cut may take the last moments.
        queue_points: how many points may wait for one project's file.
    """

    def __init__(
        self,
        folder: Path,
        *,
        synchronous: Literal["full", "normal"] = "full",
        queue_points: int = 8_000_000,
    ) -> None:
        self._folder = folder
        self._synchronous = synchronous
        self._queue_points = queue_points
        self._projects: dict[ProjectId, tuple[ProjectFile, GroupCommit]] = {}
        # A thread for each project that is written at the moment: a slow one holds up no other.
        self._writers = ThreadPoolExecutor(64, "scalars-write")
        self._readers = ThreadPoolExecutor(16, "scalars-read")
        self._folders = ThreadPoolExecutor(1, "scalars-fold")
        self._settlers = ThreadPoolExecutor(2, "scalars-settle")
        self._maintainer = ThreadPoolExecutor(1, "scalars-maintain")
        self._upkeep = Upkeep(folder, self._opened)
        self._guard = threading.Lock()
        self._closed = False

    async def append(self, project_id: ProjectId, batch: ScalarBatch) -> None:
        """See the port."""
        with self._guard:
            durable = self._project(project_id)[1].submit(batch)
        await durable

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
        step, moment, value = await self._read(
            project_id, lambda file: reading.read(file, experiment_id, name, start, stop), empty()
        )
        return Series(experiment_id=experiment_id, name=name, step=step, time=moment, value=value)

    async def sample(self, project_id: ProjectId, query: SampleQuery) -> tuple[SampledSeries, ...]:
        """See the port."""
        return await self._read(project_id, lambda file: sample(file, query), ())

    async def since(
        self,
        project_id: ProjectId,
        experiment_id: ExperimentId,
        cursor: str | None = None,
        *,
        names: Collection[str] | None = None,
    ) -> News:
        """See the port."""
        nothing = reading.nothing_since(cursor)
        return await self._read(
            project_id, lambda file: reading.since(file, experiment_id, cursor, names), nothing
        )

    async def summary(
        self,
        project_id: ProjectId,
        experiments: Collection[ExperimentId] | None = None,
        names: Collection[str] | None = None,
    ) -> tuple[SeriesSummary, ...]:
        """See the port."""
        return await self._read(project_id, lambda file: reading.summary(file, experiments, names), ())

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
        return await self._read(project_id, lambda file: reading.top(file, name, by, k, descending), ())

    async def tags(
        self, project_id: ProjectId, experiment_id: ExperimentId, window: TimeWindow
    ) -> tuple[StepTags, ...]:
        """See the port."""
        return await self._read(project_id, lambda file: reading.tags(file, experiment_id, window), ())

    async def branch(
        self, project_id: ProjectId, experiment_id: ExperimentId, *, step: int, into: ExperimentId
    ) -> None:
        """See the port."""
        with self._guard:
            file, _ = self._project(project_id)
            future = self._writers.submit(_branch, file, experiment_id, step, into)
        await asyncio.wrap_future(future)

    async def delete(self, project_id: ProjectId, experiment_id: ExperimentId | None = None) -> None:
        """See the port."""
        with self._guard:
            file, _ = self._project(project_id)
            future = self._writers.submit(_delete, file, experiment_id)
        await asyncio.wrap_future(future)

    async def settle(self, project_id: ProjectId, experiment_id: ExperimentId) -> None:
        """See the port."""
        with self._guard:
            file, commits = self._project(project_id)
            future = self._settlers.submit(_settle, file, commits, experiment_id)
        await asyncio.wrap_future(future)

    async def stats(self, project_id: ProjectId) -> StoreStats:
        """See the port."""
        path = self._folder / f"{project_id}.db"
        nothing = StoreStats(0, 0, 0, 0, 0)
        return await self._read(project_id, lambda file: checking.stats(file, path), nothing)

    async def verify(self, project_id: ProjectId) -> tuple[Fault, ...]:
        """See the port."""
        return await self._read(project_id, lambda file: tuple(checking.faults(file)), ())

    async def maintain(self, budget: float) -> None:
        """See the port."""
        with self._guard:
            self._require_open()
            future = self._maintainer.submit(self._upkeep.go_on, time.monotonic() + budget)
        await asyncio.wrap_future(future)

    async def check(self) -> None:
        """See the port."""
        with self._guard:
            self._require_open()
            future = self._readers.submit(_check, self._folder)
        await asyncio.wrap_future(future)

    async def close(self) -> None:
        """See the port."""
        await asyncio.to_thread(self._close)

    async def _read(self, project_id: ProjectId, ask: Callable[[Connection], _T], nothing: _T) -> _T:
        def answer() -> _T:
            with file.reading() as connection:
                return nothing if connection is None else ask(connection)

        with self._guard:
            file, _ = self._project(project_id)
            future = self._readers.submit(answer)
        return await asyncio.wrap_future(future)

    def _project(self, project_id: ProjectId) -> tuple[ProjectFile, GroupCommit]:
        self._require_open()
        found = self._projects.get(project_id)
        if found is None:
            file = ProjectFile(self._folder / f"{project_id}.db", self._synchronous)
            found = file, GroupCommit(file, self._writers, self._folders, self._queue_points)
            self._projects[project_id] = found
        return found

    def _opened(self, project_id: ProjectId) -> tuple[ProjectFile, GroupCommit]:
        with self._guard:
            return self._project(project_id)

    def _require_open(self) -> None:
        if self._closed:
            raise Unavailable("the scalar store is closed")

    def _close(self) -> None:
        with self._guard:
            self._closed = True
        self._upkeep.stop()
        self._writers.shutdown()
        self._folders.shutdown(cancel_futures=True)  # what is not folded is safe in the tail
        self._settlers.shutdown()
        self._maintainer.shutdown()
        self._readers.shutdown()
        with self._guard:
            for file, _ in self._projects.values():
                file.close()
            self._projects.clear()


def _delete(file: ProjectFile, experiment_id: ExperimentId | None) -> None:
    if experiment_id is None:
        file.delete()
        return
    try:
        with file.writing() as writer:
            delete_experiment(writer, experiment_id)
    except NotFound:
        return  # its whole project was deleted


def _branch(file: ProjectFile, experiment_id: ExperimentId, step: int, into: ExperimentId) -> None:
    with file.writing() as writer:
        branch(writer, experiment_id, step, into)


def _settle(file: ProjectFile, commits: GroupCommit, experiment_id: ExperimentId) -> None:
    with file.reading() as connection:
        found = (
            None
            if connection is None
            else connection.execute(
                "SELECT id FROM experiment WHERE uuid=?", (experiment_id.bytes,)
            ).fetchone()
        )
    if found is not None:
        try:
            commits.fold(found[0])
        except NotFound:
            return  # its project was deleted meanwhile


def _check(folder: Path) -> None:
    with translated(folder):
        refuse_network_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise Unavailable(f"the scalars folder {folder} is not writable", retry_after=60.0)
        if shutil.disk_usage(folder).free < _LEAST_FREE_BYTES:
            raise Unavailable(f"the disk of the scalars folder {folder} is full", retry_after=60.0)
