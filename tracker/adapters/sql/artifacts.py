"""Artifacts and snapshots in SQL."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from tracker.adapters.sql.artifact_tables import artifacts, manifest_blobs, manifests, snapshots
from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.session import Row, Session
from tracker.adapters.sql.tables import experiments
from tracker.adapters.sql.upserting import insert_into
from tracker.domain.artifacts.artifact import Artifact
from tracker.domain.artifacts.snapshot import Files, Manifest, Snapshot
from tracker.domain.errors import NotFound
from tracker.domain.ids import ArtifactId, ExperimentId, SnapshotId
from tracker.domain.json_tree import thaw

__all__ = ["SqlArtifactRepository", "SqlSnapshotRepository"]

_KEY = (artifacts.c.experiment_id, artifacts.c.name, artifacts.c.has_step, artifacts.c.step)
_REPLACED = ("kind", "media_type", "digest", "size", "metadata", "created_at", "created_by")
_ARTIFACTS = sa.select(artifacts, experiments.c.project_id).join(
    experiments, experiments.c.id == artifacts.c.experiment_id
)
_SNAPSHOTS = (
    sa.select(
        *snapshots.c,
        manifests.c.packed,
        experiments.c.project_id,
    )
    .join(manifests, manifests.c.id == snapshots.c.manifest_id)
    .join(experiments, experiments.c.id == snapshots.c.experiment_id)
)
_KEYS_A_QUERY = 500  # SQLite and PostgreSQL both bound the parameters of a statement


class SqlArtifactRepository:
    """Keeps the port :class:`tracker.ports.artifacts.ArtifactRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        insert = insert_into(artifacts, session.dialect)
        self._upsert = insert.on_conflict_do_update(
            index_elements=_KEY, set_={name: insert.excluded[name] for name in _REPLACED}
        )

    async def put(self, artifact: Artifact) -> Artifact:
        """Keeps it, or replaces the one of the same key."""
        with inserting("artifact", artifact.name):
            await self._session.run(self._upsert, [_columns(artifact)])
        kept = await self.find(*artifact.key)
        if kept is None:
            raise NotFound.of("experiment", artifact.experiment_id)
        return kept

    async def get(self, artifact_id: ArtifactId) -> Artifact:
        """The artifact."""
        rows = await self._session.rows(_ARTIFACTS.where(artifacts.c.id == artifact_id))
        if not rows:
            raise NotFound.of("artifact", artifact_id)
        return _artifact(rows[0])

    async def find(self, experiment_id: ExperimentId, name: str, step: int | None) -> Artifact | None:
        """The one of a key."""
        key = (experiment_id, name, step is not None, step or 0)
        statement = _ARTIFACTS.where(*(column == value for column, value in zip(_KEY, key, strict=True)))
        return next(map(_artifact, await self._session.rows(statement)), None)

    async def of_experiment(
        self, experiment_id: ExperimentId, *, kind: str | None = None, name: str | None = None
    ) -> tuple[Artifact, ...]:
        """An experiment's, in order."""
        statement = _ARTIFACTS.where(artifacts.c.experiment_id == experiment_id).order_by(*_KEY[1:])
        if kind is not None:
            statement = statement.where(artifacts.c.kind == kind)
        if name is not None:
            statement = statement.where(artifacts.c.name == name)
        return tuple(map(_artifact, await self._session.rows(statement)))


class SqlSnapshotRepository:
    """Keeps the port :class:`tracker.ports.artifacts.SnapshotRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, snapshot: Snapshot) -> None:
        """Keeps a new one, and its tree unless another one has it too."""
        row = {
            "id": snapshot.id,
            "experiment_id": snapshot.experiment_id,
            "manifest_id": await self._manifest(snapshot.manifest),
            "environment": thaw(snapshot.environment),
            "created_at": snapshot.created_at,
            "created_by": snapshot.created_by,
        }
        with inserting("snapshot", snapshot.id):
            await self._session.run(sa.insert(snapshots).values(row))

    async def get(self, snapshot_id: SnapshotId) -> Snapshot:
        """The snapshot."""
        rows = await self._session.rows(_SNAPSHOTS.where(snapshots.c.id == snapshot_id))
        if not rows:
            raise NotFound.of("snapshot", snapshot_id)
        return _snapshot(rows[0], _files(rows[0]))

    async def of_experiments(
        self, experiment_ids: Collection[ExperimentId]
    ) -> Mapping[ExperimentId, Sequence[Snapshot]]:
        """Those of each, oldest first."""
        keys = list(experiment_ids)
        found: dict[ExperimentId, list[Snapshot]] = {}
        trees: dict[int, Files] = {}  # of many experiments there are few
        for start in range(0, len(keys), _KEYS_A_QUERY):
            some = snapshots.c.experiment_id.in_(keys[start : start + _KEYS_A_QUERY])
            statement = _SNAPSHOTS.where(some).order_by(snapshots.c.created_at, snapshots.c.id)
            for row in await self._session.rows(statement):
                if row.manifest_id not in trees:
                    trees[row.manifest_id] = _files(row)
                snapshot = _snapshot(row, trees[row.manifest_id])
                found.setdefault(row.experiment_id, []).append(snapshot)
        return found

    async def _manifest(self, manifest: Manifest) -> int:
        """The number of a tree, which is kept if it is a new one."""
        by_digest = sa.select(manifests.c.id).where(manifests.c.digest == manifest.digest)
        for row in await self._session.rows(by_digest):
            return int(row.id)
        packed = zlib.compress(manifest.text.encode())
        insert = insert_into(manifests, self._session.dialect).on_conflict_do_nothing()
        is_new = await self._session.run(insert.values(digest=manifest.digest, packed=packed))
        (row,) = await self._session.rows(by_digest)
        if is_new and manifest.files:
            blobs = [{"manifest_id": row.id, "digest": digest} for digest in sorted(manifest.digests)]
            await self._session.run(sa.insert(manifest_blobs), blobs)
        return int(row.id)


def _columns(artifact: Artifact) -> dict[str, Any]:
    return {
        **{name: value for name, value in artifact.__dict__.items() if name != "project_id"},
        "has_step": artifact.step is not None,
        "step": artifact.step or 0,
        "metadata": thaw(artifact.metadata),
    }


def _artifact(row: Row) -> Artifact:
    columns = dict(row._mapping)
    if not columns.pop("has_step"):
        columns["step"] = None
    return Artifact(**columns)


def _files(row: Row) -> Files:
    return Manifest.parse(zlib.decompress(row.packed).decode()).files


def _snapshot(row: Row, files: Files) -> Snapshot:
    columns = {name: value for name, value in row._mapping.items() if name not in ("manifest_id", "packed")}
    return Snapshot(**columns, files=files)
