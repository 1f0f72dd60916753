"""What a capture gives: files as they were, what was left out and why, and where they ran."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

__all__ = ["BLOBS", "MANIFEST", "Captured", "CapturedFile", "Deadline", "LeftOut", "Limits", "Reason"]

BLOBS = "blobs"
MANIFEST = "captured.json"


class Reason:
    """Why something is not in a capture; whoever restores it reads these."""

    SECRET = "may hold a secret"  # noqa: S105  (is none)
    TOO_LARGE = "larger than what is kept of one file"
    FULL = "more than what is kept in all"
    TOO_MANY = "more files than are kept"
    LATE = "the time for capturing was over"
    UNREADABLE = "cannot be read"
    CHANGING = "changed while it was read"
    SPECIAL = "neither a file, a link nor a folder"
    IGNORED = "named in .trackerignore"
    KIND = "a kind that can be made again"
    DATA = "where tracker keeps its data"
    CROWDED = "the folder holds more than one project"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept of a tree. What exceeds it is left out and said to be.

    Attributes:
        file: bytes of one file.
        total: bytes of all files.
        files: how many.
        diff: bytes of the diff against the commit.
        seconds: how long capturing may take.
    """

    file: int = 10 * 2**20
    total: int = 200 * 2**20
    files: int = 20_000
    diff: int = 2 * 2**20
    seconds: float = 60.0


class Deadline:
    """When capturing has to end.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds, never below zero."""
        return max(0.0, self._end - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether no time is left."""
        return not self.left


@dataclass(frozen=True, slots=True)
class CapturedFile:
    """One file or link of a snapshot.

    Attributes:
        path: relative, with ``/`` between folders; names that are no plain text are escaped, and
            stand as bytes in the environment's ``tree.names``.
        digest: SHA-256 of the content, 64 lower-case hex digits.
        size: of the content in bytes.
        mode: ``0o755`` for what can be executed, else ``0o644``.
        link: whether it is a symbolic link; then the content is its target.
    """

    path: str
    digest: str
    size: int
    mode: int
    link: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that was there and is not in the snapshot.

    Attributes:
        path: as in :class:`CapturedFile`; a folder ends with ``/``.
        reason: one of :class:`Reason`, or a sentence.
    """

    path: str
    reason: str


@dataclass(frozen=True)
class Captured:
    """A tree and its surroundings at one moment.

    Attributes:
        files: by path, each with the file that holds exactly the bytes that were hashed.
        environment: JSON: commit, packages, hardware, command, seeds, and what else
            docs/guide/reproducing.md lists.
        left_out: what is missing in `files`, and why.
        diff: of tracked files against the commit; ``None`` without git, or when nothing differs.
        staging: the folder that holds the bytes; whoever has sent them calls :meth:`forget`.
    """

    files: tuple[tuple[CapturedFile, Path], ...]
    environment: Mapping[str, Any]
    left_out: tuple[LeftOut, ...]
    diff: str | None
    staging: Path = field(compare=False)

    def save(self) -> None:
        """Writes down beside the bytes what they are, so that another process can send them."""
        record = {
            "version": 1,
            "files": [asdict(file) for file, _ in self.files],
            "environment": self.environment,
            "left_out": [asdict(each) for each in self.left_out],
            "diff": self.diff,
        }
        written = self.staging / f"{MANIFEST}.part"
        written.write_text(json.dumps(record), encoding="utf-8")
        written.replace(self.staging / MANIFEST)

    @classmethod
    def load(cls, staging: Path) -> Self | None:
        """What :meth:`save` wrote; ``None`` when a capture did not come so far."""
        try:
            record = json.loads((staging / MANIFEST).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        files = [CapturedFile(**each) for each in record["files"]]
        return cls(
            files=_with_sources(files, staging),
            environment=record["environment"],
            left_out=tuple(LeftOut(**each) for each in record["left_out"]),
            diff=record["diff"],
            staging=staging,
        )

    def forget(self) -> None:
        """Removes the bytes, once they are kept elsewhere."""
        shutil.rmtree(self.staging, ignore_errors=True)


def _with_sources(files: Sequence[CapturedFile], staging: Path) -> tuple[tuple[CapturedFile, Path], ...]:
    return tuple((file, staging / BLOBS / file.digest) for file in files)
