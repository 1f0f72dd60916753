"""The files that ran, as a tree of blobs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field

from tracker.domain.artifacts.digest import Digest, Size, digest_of
from tracker.domain.artifacts.paths import SnapshotPath, check_tree
from tracker.domain.frozen import Frozen
from tracker.domain.ids import ExperimentId, ProjectId, SnapshotId, UserId
from tracker.domain.json_tree import EMPTY, JsonObject

__all__ = ["EXECUTABLE", "MOST_FILES", "PLAIN", "Files", "Manifest", "Snapshot", "SnapshotFile"]

PLAIN: Final = 0o644
EXECUTABLE: Final = 0o755
MOST_FILES = 100_000


class SnapshotFile(Frozen):
    """One file of a tree.

    Attributes:
        path: relative, with slashes.
        digest: of its bytes; of a symbolic link, of its target as UTF-8.
        size: of them.
        mode: ``0o755`` where it may be executed, else ``0o644``.
        link: whether it is a symbolic link.
    """

    path: SnapshotPath
    digest: Digest
    size: Size
    mode: Literal[0o644, 0o755] = PLAIN
    link: bool = False


def _tree(files: tuple[SnapshotFile, ...]) -> tuple[SnapshotFile, ...]:
    check_tree([file.path for file in files])
    return tuple(sorted(files, key=lambda file: file.path))


Files = Annotated[tuple[SnapshotFile, ...], Field(max_length=MOST_FILES), AfterValidator(_tree)]


class Manifest(Frozen):
    """A tree of files, by path. Trees of the same files have the same text, in whatever order they came."""

    files: Files

    @property
    def text(self) -> str:
        """The whole of it as JSON: ``[path, digest, size, mode, link]`` each."""
        rows = [[file.path, file.digest, file.size, file.mode, file.link] for file in self.files]
        return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))

    @property
    def digest(self) -> str:
        """Of its text."""
        return digest_of(self.text.encode())

    @property
    def size(self) -> int:
        """Of all files together, in bytes."""
        return sum(file.size for file in self.files)

    @property
    def digests(self) -> frozenset[str]:
        """Of all files."""
        return frozenset(file.digest for file in self.files)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The manifest of which this is the text."""
        names = ("path", "digest", "size", "mode", "link")
        rows: Iterable[Any] = json.loads(text)
        return cls(files=tuple(SnapshotFile(**dict(zip(names, row, strict=True))) for row in rows))


class Snapshot(Frozen):
    """The files an experiment ran with, and what else it ran in.

    Attributes:
        files: by path; no two of one path, none that is a folder for another.
        environment: what was captured beside them, such as ``packages`` by name; empty if nothing was.
        created_by: who took it; ``None`` when nobody knows any more.
    """

    id: SnapshotId
    project_id: ProjectId
    experiment_id: ExperimentId
    files: Files
    environment: JsonObject = Field(default_factory=lambda: EMPTY)
    created_at: AwareDatetime
    created_by: UserId | None = None

    @property
    def manifest(self) -> Manifest:
        """Its tree."""
        return Manifest(files=self.files)

    @property
    def size(self) -> int:
        """Of all files together, in bytes."""
        return self.manifest.size
