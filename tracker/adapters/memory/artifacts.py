"""Artifacts and snapshots in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from tracker.adapters.memory.state import Current, State
from tracker.domain.artifacts.artifact import Artifact
from tracker.domain.artifacts.snapshot import Snapshot
from tracker.domain.errors import AlreadyExists, NotFound
from tracker.domain.ids import ArtifactId, ExperimentId, SnapshotId, UserId

__all__ = ["MemoryArtifactRepository", "MemorySnapshotRepository", "forget_artifacts", "forget_uploader"]


class MemoryArtifactRepository:
    """Keeps the port :class:`tracker.ports.artifacts.ArtifactRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def put(self, artifact: Artifact) -> Artifact:
        """Keeps it, or replaces the one of the same key."""
        state = self._current.state
        _require(state, "artifact", artifact.name, artifact.experiment_id, artifact.created_by)
        present = await self.find(*artifact.key)
        kept = artifact if present is None else artifact.evolve(id=present.id)
        state.artifacts[kept.id] = kept
        return kept

    async def get(self, artifact_id: ArtifactId) -> Artifact:
        """The artifact."""
        try:
            return self._current.state.artifacts[artifact_id]
        except KeyError as error:
            raise NotFound.of("artifact", artifact_id) from error

    async def find(self, experiment_id: ExperimentId, name: str, step: int | None) -> Artifact | None:
        """The one of a key."""
        key = (experiment_id, name, step)
        return next((a for a in self._current.state.artifacts.values() if a.key == key), None)

    async def of_experiment(
        self, experiment_id: ExperimentId, *, kind: str | None = None, name: str | None = None
    ) -> tuple[Artifact, ...]:
        """An experiment's, in order."""
        found = [
            artifact
            for artifact in self._current.state.artifacts.values()
            if artifact.experiment_id == experiment_id
            and kind in (None, artifact.kind)
            and name in (None, artifact.name)
        ]
        return tuple(sorted(found, key=lambda artifact: artifact.order))


class MemorySnapshotRepository:
    """Keeps the port :class:`tracker.ports.artifacts.SnapshotRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def add(self, snapshot: Snapshot) -> None:
        """Keeps a new one."""
        state = self._current.state
        _require(state, "snapshot", snapshot.id, snapshot.experiment_id, snapshot.created_by)
        if snapshot.id in state.snapshots:
            raise AlreadyExists(f"snapshot {snapshot.id} is there already")
        state.snapshots[snapshot.id] = snapshot

    async def get(self, snapshot_id: SnapshotId) -> Snapshot:
        """The snapshot."""
        try:
            return self._current.state.snapshots[snapshot_id]
        except KeyError as error:
            raise NotFound.of("snapshot", snapshot_id) from error

    async def of_experiments(
        self, experiment_ids: Collection[ExperimentId]
    ) -> Mapping[ExperimentId, Sequence[Snapshot]]:
        """Those of each, oldest first."""
        found: dict[ExperimentId, list[Snapshot]] = {}
        for snapshot in sorted(self._current.state.snapshots.values(), key=lambda s: (s.created_at, s.id)):
            if snapshot.experiment_id in experiment_ids:
                found.setdefault(snapshot.experiment_id, []).append(snapshot)
        return found


def forget_artifacts(state: State, experiments: Collection[ExperimentId]) -> None:
    """Removes what deleted experiments had."""
    state.artifacts = {k: a for k, a in state.artifacts.items() if a.experiment_id not in experiments}
    state.snapshots = {k: s for k, s in state.snapshots.items() if s.experiment_id not in experiments}


def forget_uploader(state: State, user_id: UserId) -> None:
    """Takes an account's name off what it put."""
    state.uploads = {key: at for key, at in state.uploads.items() if key[1] != user_id}
    for key, artifact in state.artifacts.items():
        if artifact.created_by == user_id:
            state.artifacts[key] = artifact.evolve(created_by=None)
    for number, snapshot in state.snapshots.items():
        if snapshot.created_by == user_id:
            state.snapshots[number] = snapshot.evolve(created_by=None)


def _require(
    state: State, kind: str, key: object, experiment_id: ExperimentId, user_id: UserId | None
) -> None:
    if experiment_id not in state.experiments or not (user_id is None or user_id in state.users):
        raise NotFound(f"{kind} {key}: what it belongs to was not found")
