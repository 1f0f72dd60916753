"""Blobs, artifacts and snapshots."""

from __future__ import annotations

from typing import Any

from tracker.domain.artifacts.blobs.service import Blob, BlobService
from tracker.domain.artifacts.service import ArtifactService
from tracker.domain.artifacts.snapshots.service import SnapshotService
from tracker.domain.errors import TooLarge
from tracker.domain.ids import ArtifactId, ExperimentId, SnapshotId

from ..exchange import NOT_MODIFIED, Call
from ..schemas.answers import NoQuery
from ..schemas.artifacts import (
    ArtifactOut,
    ArtifactPut,
    ArtifactQuery,
    BlobsIn,
    BlobsOut,
    CheckIn,
    CheckOut,
    HashQuery,
    SnapshotCreate,
    SnapshotCreated,
    SnapshotOut,
    UploadedOut,
    artifact_out,
    snapshot_out,
)
from ..streaming import Streamed, asked_range, attachment
from ..zipping import zipped

__all__ = ["Artifacts", "Blobs", "Snapshots", "content_of"]

_PARTIAL = 206
# Whatever an artifact says it is, no browser shows it as a page of ours.
_NEVER_SHOWN = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}


class Blobs:
    """``/api/blobs``.

    Args:
        blobs: the use cases.
        largest: how many bytes are taken of one blob.
    """

    def __init__(self, blobs: BlobService, largest: int) -> None:
        self._blobs = blobs
        self._largest = largest

    async def check(self, call: Call[CheckIn, NoQuery]) -> CheckOut:
        """What has to be uploaded."""
        return {"missing": list(await self._blobs.missing(call.actor, call.body.root))}

    async def upload(self, call: Call[None, HashQuery]) -> UploadedOut:
        """Takes bytes as they come."""
        digest = call.query.hash
        size = await self._blobs.upload(call.actor, digest, call.uploaded.chunks())
        return {"hash": digest, "size": size}

    async def upload_many(self, call: Call[BlobsIn, NoQuery]) -> BlobsOut:
        """Takes small ones together."""
        contents = dict(call.body.root)
        for digest, content in contents.items():
            if len(content) > self._largest:
                raise TooLarge(f"{digest}: larger than {self._largest} bytes (TRACKER_MAX_BLOB)")
        size = await self._blobs.upload_many(call.actor, contents)
        return {"blobs": len(contents), "size": size}

    async def content(self, call: Call[None, HashQuery]) -> Streamed | None:
        """The bytes of one."""
        blob = await self._blobs.open(call.actor, call.query.hash)
        return content_of(call, blob, blob.digest)


class Artifacts:
    """``/api/artifacts``, and those of an experiment."""

    def __init__(self, artifacts: ArtifactService) -> None:
        self._artifacts = artifacts

    async def of_experiment(self, call: Call[None, ArtifactQuery]) -> list[ArtifactOut]:
        """An experiment's."""
        found = await self._artifacts.of_experiment(
            call.actor, _experiment(call), kind=call.query.kind, name=call.query.name
        )
        return [artifact_out(each) for each in found]

    async def put(self, call: Call[ArtifactPut, NoQuery]) -> ArtifactOut:
        """Puts one."""
        return artifact_out(await self._artifacts.put(call.actor, _experiment(call), **call.body.given()))

    async def show(self, call: Call[None, NoQuery]) -> ArtifactOut:
        """One."""
        return artifact_out(await self._artifacts.get(call.actor, _artifact(call)))

    async def content(self, call: Call[None, NoQuery]) -> Streamed | None:
        """The bytes of one."""
        artifact, blob = await self._artifacts.open(call.actor, _artifact(call))
        return content_of(call, blob, artifact.name.rpartition("/")[2])


class Snapshots:
    """``/api/snapshots``, and those of an experiment."""

    def __init__(self, snapshots: SnapshotService) -> None:
        self._snapshots = snapshots

    async def take(self, call: Call[SnapshotCreate, NoQuery]) -> SnapshotCreated:
        """Takes one."""
        body = call.body
        if "experiment_id" in body.model_fields_set:
            experiment_id = ExperimentId(body.experiment_id)
        else:
            experiment_id = (await self._snapshots.newest_named(call.actor, body.experiment_name)).id
        taken = await self._snapshots.take(
            call.actor, experiment_id, body.snapshot_files(), environment=body.environment
        )
        return {"snapshot_id": taken.id}

    async def of_experiment(self, call: Call[None, NoQuery]) -> list[SnapshotOut]:
        """An experiment's."""
        return [
            snapshot_out(each) for each in await self._snapshots.of_experiment(call.actor, _experiment(call))
        ]

    async def show(self, call: Call[None, NoQuery]) -> SnapshotOut:
        """One."""
        return snapshot_out(await self._snapshots.get(call.actor, _snapshot(call)))

    async def download(self, call: Call[None, NoQuery]) -> Streamed:
        """The files of one."""
        opened = await self._snapshots.open(call.actor, _snapshot(call))
        name = f"snapshot-{opened.snapshot.id}.zip"
        call.headers |= {**_NEVER_SHOWN, "Content-Disposition": attachment(name)}
        return Streamed(zipped(opened))


def content_of(call: Call[Any, Any], blob: Blob, name: str) -> Streamed | None:
    """All of a blob, the part of it that was asked for, or nothing where the caller has it already."""
    tag = f'"{blob.digest}"'
    call.headers |= {
        **_NEVER_SHOWN,
        "ETag": tag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": attachment(name),
    }
    if call.known is not None and (call.known.strip() == "*" or tag in call.known):
        call.status = NOT_MODIFIED
        return None
    part = asked_range(call.range, blob.size) if call.if_range in (None, tag) else None
    if part is None:
        return Streamed(blob.read(), blob.size)
    call.status = _PARTIAL
    call.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{blob.size}"
    return Streamed(blob.read(part.start, part.stop), part.stop - part.start)


def _experiment(call: Call[Any, Any]) -> ExperimentId:
    return ExperimentId(call.path["experiment_id"])


def _artifact(call: Call[Any, Any]) -> ArtifactId:
    return ArtifactId(call.path["artifact_id"])


def _snapshot(call: Call[Any, Any]) -> SnapshotId:
    return SnapshotId(call.path["snapshot_id"])
