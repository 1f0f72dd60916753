"""The area of files of experiments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from tracker.areas.ids import Id
from tracker.domain.artifacts.artifact import OCTETS, Artifact
from tracker.domain.artifacts.digest import checked_digest
from tracker.domain.artifacts.snapshot import Snapshot, SnapshotFile

__all__ = ["AsyncArtifacts", "digest_meant"]


class AsyncArtifacts(Protocol):
    """Artifacts, snapshots, and the blobs they are of.

    Bytes are uploaded first, under their digest (SHA-256 in lower-case hex), and named then.
    """

    async def missing(self, digests: Sequence[str]) -> tuple[str, ...]:
        """Those whose bytes have to be uploaded, each once, in the given order."""
        ...

    async def upload(self, digest: str, source: bytes | Path) -> None:
        """Keeps the bytes, or those of a file, durable when it returns; for a day they may be named.

        Raises ``Conflict`` where they do not hash to `digest`.
        """
        ...

    async def upload_many(self, sources: Mapping[str, bytes | Path]) -> None:
        """Keeps the bytes, or those of files, by their digests, as :meth:`upload` keeps one; small ones
        together, which takes a fraction of the time.

        They go in parts of a few MB. A part whose bytes are not all right is refused as :meth:`upload`
        refuses them, and nothing of it is kept; what went before stays. :meth:`missing` tells what is left.
        """
        ...

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
        """Puts uploaded bytes to an experiment. The same name, step and digest again changes nothing; with
        another digest it is replaced. Raises ``Conflict`` where they were not uploaded."""
        ...

    async def list(
        self, experiment_id: Id, *, kind: str | None = None, name: str | None = None
    ) -> tuple[Artifact, ...]:
        """An experiment's by name and step, or those of a kind and exact name."""
        ...

    async def get(self, artifact_id: Id) -> Artifact:
        """The artifact with this id. Raises ``NotFound``."""
        ...

    async def download(self, what: str | Artifact, to: Path | str) -> Path:
        """Writes the bytes of an artifact, or of a digest, to a file, once all of them are right."""
        ...

    async def read(self, what: str | Artifact) -> bytes:
        """The bytes of an artifact, or of a digest, all at once."""
        ...

    async def snapshot(
        self,
        experiment_id: Id,
        files: Sequence[SnapshotFile],
        *,
        environment: Mapping[str, Any] | None = None,
    ) -> Snapshot:
        """Keeps which files an experiment ran with; their bytes are uploaded."""
        ...

    async def snapshots(self, experiment_id: Id) -> tuple[Snapshot, ...]:
        """An experiment's, oldest first."""
        ...

    async def get_snapshot(self, snapshot_id: Id) -> Snapshot:
        """The snapshot with this id. Raises ``NotFound``."""
        ...


def digest_meant(what: str | Artifact) -> str:
    """The digest that somebody gave, or that of the artifact.

    Raises:
        Invalid: it is neither.
    """
    return what.digest if isinstance(what, Artifact) else checked_digest(what)
