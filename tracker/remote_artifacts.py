"""The area of files of experiments against a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tracker.areas import Id, uuid_of
from tracker.areas.artifacts import digest_meant
from tracker.blob_files import gathered, saved, sent_in_parts
from tracker.domain.artifacts.artifact import OCTETS, Artifact
from tracker.domain.artifacts.snapshot import Snapshot, SnapshotFile
from tracker.domain.errors import Invalid, NotFound, TooLarge
from tracker.domain.json_tree import thaw
from tracker.remote_client import Client
from tracker.wire_artifacts import artifact_from, body_of_file, snapshot_from

__all__ = ["Artifacts"]

_DIGESTS_A_REQUEST = 10_000
_CONTENT = "/blobs/content"


class Artifacts:
    """:class:`~tracker.areas.AsyncArtifacts` over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def missing(self, digests: Sequence[str]) -> tuple[str, ...]:
        """What has to be uploaded."""
        wanted = list(dict.fromkeys(digests))
        found: list[str] = []
        for start in range(0, len(wanted), _DIGESTS_A_REQUEST):
            part = wanted[start : start + _DIGESTS_A_REQUEST]
            found += (await self._client.post("/blobs/check", part))["missing"]
        return tuple(found)

    async def upload(self, digest: str, source: bytes | Path) -> None:
        """Sends bytes."""
        query = {"hash": digest}
        if isinstance(source, bytes | bytearray | memoryview):
            await self._client.post_file("/blobs/upload", query, bytes(source))
            return
        try:
            with Path(source).open("rb") as file:  # noqa: ASYNC230  (read while it is sent, piece by piece)
                await self._client.post_file("/blobs/upload", query, file)
        except OSError as error:
            raise Invalid.field("source", f"{source} cannot be read: {error.strerror}") from error

    async def upload_many(self, sources: Mapping[str, bytes | Path]) -> None:
        """Sends many."""
        await sent_in_parts(sources, self._together, self.upload)

    async def _together(self, contents: Mapping[str, bytes]) -> None:
        items = list(contents.items())
        try:
            await self._client.post_packed("/blobs/bulk", items)
        except NotFound:  # the server is older than this route
            for digest, content in items:
                await self.upload(digest, content)
        except TooLarge:  # it takes less at a time
            if len(items) == 1:
                await self.upload(*items[0])
                return
            middle = len(items) // 2
            for half in (items[:middle], items[middle:]):
                await self._together(dict(half))

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
        body = {
            "name": name,
            "hash": digest,
            "size": size,
            "kind": kind,
            "mediaType": media_type,
            "step": step,
            "metadata": thaw(metadata or {}),
        }
        return artifact_from(await self._client.post(f"{_experiment(experiment_id)}/artifacts", body))

    async def list(
        self, experiment_id: Id, *, kind: str | None = None, name: str | None = None
    ) -> tuple[Artifact, ...]:
        """An experiment's."""
        query = {key: value for key, value in (("kind", kind), ("name", name)) if value is not None}
        found = await self._client.get(f"{_experiment(experiment_id)}/artifacts", query)
        return tuple(map(artifact_from, found))

    async def get(self, artifact_id: Id) -> Artifact:
        """One by its id."""
        return artifact_from(await self._client.get(f"/artifacts/{uuid_of(artifact_id, 'artifact_id')}"))

    async def download(self, what: str | Artifact, to: Path | str) -> Path:
        """Writes one to a file."""
        digest = digest_meant(what)
        return await saved(self._client.stream(_CONTENT, {"hash": digest}), digest, to)

    async def read(self, what: str | Artifact) -> bytes:
        """The bytes of one."""
        digest = digest_meant(what)
        return await gathered(self._client.stream(_CONTENT, {"hash": digest}), digest)

    async def snapshot(
        self,
        experiment_id: Id,
        files: Sequence[SnapshotFile],
        *,
        environment: Mapping[str, Any] | None = None,
    ) -> Snapshot:
        """Takes one."""
        body = {
            "experiment_id": str(uuid_of(experiment_id, "experiment_id")),
            "files": [body_of_file(file) for file in files],
            "environment": thaw(environment or {}),
        }
        taken = await self._client.post("/snapshots", body)
        return await self.get_snapshot(taken["snapshot_id"])

    async def snapshots(self, experiment_id: Id) -> tuple[Snapshot, ...]:
        """An experiment's."""
        return tuple(map(snapshot_from, await self._client.get(f"{_experiment(experiment_id)}/snapshots")))

    async def get_snapshot(self, snapshot_id: Id) -> Snapshot:
        """One by its id."""
        return snapshot_from(await self._client.get(f"/snapshots/{uuid_of(snapshot_id, 'snapshot_id')}"))


def _experiment(value: Id) -> str:
    return f"/experiments/{uuid_of(value, 'experiment_id')}"
