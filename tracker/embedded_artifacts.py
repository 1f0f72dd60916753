"""The area of files of experiments in process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tracker.areas import Id, uuid_of
from tracker.areas.artifacts import digest_meant
from tracker.blob_files import gathered, pieces_of, saved, sent_in_parts
from tracker.domain.artifacts.artifact import OCTETS, Artifact
from tracker.domain.artifacts.blobs.service import BlobService
from tracker.domain.artifacts.service import ArtifactService
from tracker.domain.artifacts.snapshot import Snapshot, SnapshotFile
from tracker.domain.artifacts.snapshots.service import SnapshotService
from tracker.domain.identity.actor import Actor
from tracker.domain.ids import ArtifactId, ExperimentId, SnapshotId
from tracker.domain.json_tree import EMPTY

__all__ = ["Artifacts"]


class Artifacts:
    """:class:`~tracker.areas.AsyncArtifacts` in process."""

    def __init__(
        self, actor: Actor, service: ArtifactService, blobs: BlobService, snapshots: SnapshotService
    ) -> None:
        self._actor = actor
        self._service = service
        self._blobs = blobs
        self._snapshots = snapshots

    async def missing(self, digests: Sequence[str]) -> tuple[str, ...]:
        """What has to be uploaded."""
        return await self._blobs.missing(self._actor, digests)

    async def upload(self, digest: str, source: bytes | Path) -> None:
        """Keeps bytes."""
        await self._blobs.upload(self._actor, digest, pieces_of(source))

    async def upload_many(self, sources: Mapping[str, bytes | Path]) -> None:
        """Keeps many."""

        async def together(contents: Mapping[str, bytes]) -> None:
            await self._blobs.upload_many(self._actor, contents)

        await sent_in_parts(sources, together, self.upload)

    async def put(
        self,
        experiment_id: Id,
        name: str,
        *,
        digest: str,
        size: int,
        kind: str = "file",
        media_type: str = OCTETS,
        step: int | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Artifact:
        """Puts one."""
        return await self._service.put(
            self._actor,
            _experiment(experiment_id),
            name,
            digest=digest,
            size=size,
            kind=kind,
            media_type=media_type,
            step=step,
            metadata=EMPTY if metadata is None else metadata,
        )

    async def list(
        self, experiment_id: Id, *, kind: str | None = None, name: str | None = None
    ) -> tuple[Artifact, ...]:
        """An experiment's."""
        chosen = _experiment(experiment_id)
        return await self._service.of_experiment(self._actor, chosen, kind=kind, name=name)

    async def get(self, artifact_id: Id) -> Artifact:
        """One by its id."""
        return await self._service.get(self._actor, ArtifactId(uuid_of(artifact_id, "artifact_id")))

    async def download(self, what: str | Artifact, to: Path | str) -> Path:
        """Writes one to a file."""
        blob = await self._blobs.open(self._actor, digest_meant(what))
        return await saved(blob.read(), blob.digest, to)

    async def read(self, what: str | Artifact) -> bytes:
        """The bytes of one."""
        blob = await self._blobs.open(self._actor, digest_meant(what))
        return await gathered(blob.read(), blob.digest)

    async def snapshot(
        self,
        experiment_id: Id,
        files: Sequence[SnapshotFile],
        *,
        environment: Mapping[str, Any] | None = None,
    ) -> Snapshot:
        """Takes one."""
        chosen = _experiment(experiment_id)
        return await self._snapshots.take(self._actor, chosen, files, environment=environment)

    async def snapshots(self, experiment_id: Id) -> tuple[Snapshot, ...]:
        """An experiment's."""
        return await self._snapshots.of_experiment(self._actor, _experiment(experiment_id))

    async def get_snapshot(self, snapshot_id: Id) -> Snapshot:
        """One by its id."""
        return await self._snapshots.get(self._actor, SnapshotId(uuid_of(snapshot_id, "snapshot_id")))


def _experiment(value: Id) -> ExperimentId:
    return ExperimentId(uuid_of(value, "experiment_id"))
