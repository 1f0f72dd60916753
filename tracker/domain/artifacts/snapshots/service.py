"""Use cases of snapshots."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from tracker.domain.artifacts.blobs.service import require_blobs
from tracker.domain.artifacts.snapshot import Snapshot, SnapshotFile
from tracker.domain.errors import Invalid, NotFound, Unavailable
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.service import visible_experiment
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action, may, require
from tracker.domain.ids import ExperimentId, SnapshotId
from tracker.domain.json_tree import EMPTY
from tracker.ports.blobs import BlobStore
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork

__all__ = ["OpenSnapshot", "SnapshotService"]


class OpenSnapshot:
    """A snapshot whose files somebody may read; all of them are there.

    Args:
        store: that has them.
        snapshot: of them.
    """

    def __init__(self, store: BlobStore, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._store = store

    def read(self, file: SnapshotFile) -> AsyncIterator[bytes]:
        """The bytes of a file, piece by piece."""
        return self._store.read(file.digest)


class SnapshotService:
    """Keeps which files experiments ran with, and gives them back.

    Args:
        units: opens units of work.
        store: of their bytes.
        clock: tells when things happen.
        ids: names new things.
    """

    def __init__(self, units: UnitsOfWork, store: BlobStore, clock: Clock, ids: IdGenerator) -> None:
        self._units = units
        self._store = store
        self._clock = clock
        self._ids = ids

    async def take(
        self,
        actor: Actor,
        experiment_id: ExperimentId,
        files: Sequence[SnapshotFile],
        *,
        environment: Mapping[str, Any] | None = None,
    ) -> Snapshot:
        """A new snapshot of files whose bytes were uploaded.

        Raises:
            NotFound: there is no such experiment that `actor` may see.
            Forbidden: they may not log artifacts to it.
            Invalid: a path could lead elsewhere, stands twice, or is a file and a folder.
            Conflict: a file was not uploaded, or has another size.
        """
        async with self._units.writing() as unit:
            experiment = await visible_experiment(unit, actor, experiment_id, Action.ARTIFACTS_LOG)
            snapshot = Snapshot(
                id=SnapshotId(self._ids.new()),
                project_id=experiment.project_id,
                experiment_id=experiment_id,
                files=tuple(files),
                environment=EMPTY if environment is None else environment,
                created_at=self._clock.now(),
                created_by=actor.user_id,
            )
            await require_blobs(unit, actor, _sizes(snapshot.files), self._clock)
            await unit.snapshots.add(snapshot)
            await unit.commit()
        return snapshot

    async def newest_named(self, actor: Actor, name: str) -> Experiment:
        """The newest experiment of exactly this name, of any project.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        async with self._units.reading() as unit:
            projects = await unit.projects.list()
            seen = [p.id for p in projects if may(actor, Action.EXPERIMENTS_VIEW, p.scope)]
            found = [each for key in seen for each in await unit.experiments.named(key, name)]
        if not found:
            raise NotFound.of("experiment", name)
        return max(found, key=lambda experiment: (experiment.created_at, experiment.id))

    async def of_experiment(self, actor: Actor, experiment_id: ExperimentId) -> tuple[Snapshot, ...]:
        """An experiment's, oldest first.

        Raises:
            NotFound: there is no such experiment that `actor` may see.
        """
        async with self._units.reading() as unit:
            await visible_experiment(unit, actor, experiment_id, Action.ARTIFACTS_VIEW)
            found = await unit.snapshots.of_experiments([experiment_id])
        return tuple(found.get(experiment_id, ()))

    async def get(self, actor: Actor, snapshot_id: SnapshotId) -> Snapshot:
        """One snapshot.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        async with self._units.reading() as unit:
            return await _visible_snapshot(unit, actor, snapshot_id)

    async def open(self, actor: Actor, snapshot_id: SnapshotId) -> OpenSnapshot:
        """One snapshot and its files.

        Raises:
            NotFound: there is none that `actor` may see.
            Unavailable: the store lost some of its files.
        """
        snapshot = await self.get(actor, snapshot_id)
        wanted = snapshot.manifest.digests
        lost = len(wanted) - len(await self._store.has(wanted))
        if lost:
            raise Unavailable(f"{lost} of {len(wanted)} blobs of snapshot {snapshot_id} are not in the store")
        return OpenSnapshot(self._store, snapshot)


async def _visible_snapshot(unit: ReadingUnit, actor: Actor, snapshot_id: SnapshotId) -> Snapshot:
    snapshot = await unit.snapshots.get(snapshot_id)
    _, scope = await unit.experiments.with_scope(snapshot.experiment_id, asker=actor.user_id)
    require(actor, Action.ARTIFACTS_VIEW, scope, kind="snapshot", key=snapshot_id)
    return snapshot


def _sizes(files: Sequence[SnapshotFile]) -> Mapping[str, int]:
    """The size of each blob.

    Raises:
        Invalid: two files say different sizes of one blob.
    """
    sizes: dict[str, int] = {}
    for file in files:
        if sizes.setdefault(file.digest, file.size) != file.size:
            raise Invalid.field("files", f"{file.path}: its blob has another size elsewhere")
    return sizes
