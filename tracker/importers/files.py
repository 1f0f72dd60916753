"""Files and snapshots of runs: put where artifacts are kept, each once."""

from __future__ import annotations

import hashlib
import mimetypes
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracker.domain.artifacts.artifact import OCTETS
from tracker.domain.artifacts.digest import digest_of
from tracker.domain.errors import Invalid, Unavailable
from tracker.domain.ids import ExperimentId
from tracker.domain.json_tree import same
from tracker.importers.records import LeftOut, SourceFile, SourceRun, SourceSnapshot

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["Files", "Kept"]


@dataclass(frozen=True)
class Kept:
    """What became of the files of a run.

    Attributes:
        count: files that are there now.
        left_out: those that are not, and why.
        differences: what should be there, and is not as in the source.
    """

    count: int = 0
    left_out: tuple[LeftOut, ...] = ()
    differences: tuple[str, ...] = ()


class Files:
    """Puts files into a library.

    Args:
        library: opened on a folder or on a server.
        wanted: if not, files are told of and left where they are.
    """

    def __init__(self, library: Tracker, *, wanted: bool) -> None:
        self._library = library
        self._wanted = wanted

    def put(self, experiment_id: ExperimentId, run: SourceRun) -> Kept:
        """Uploads and names what is not there yet, and looks whether all is there."""
        if not self._wanted:
            why = "is left out by --no-files"
            return Kept(left_out=tuple(LeftOut(f"{each.kind} {each.name}", why) for each in run.files))
        if not run.files and not run.snapshots:
            return Kept()
        left_out: list[LeftOut] = []
        digests: dict[tuple[str, int | None], str] = {}
        present = self._digests(experiment_id)
        for file in run.files:
            try:
                digest = file.digest or _digest(file.content)
                if present.get((file.name, file.step)) != digest:
                    self._put(experiment_id, file, digest)
            except OSError as error:
                why = f"cannot be read: {error.strerror or error}"
                left_out.append(LeftOut(f"{file.kind} {file.name}", why, damaged=True))
            except Invalid as error:  # a name that no artifact may have
                left_out.append(LeftOut(f"{file.kind} {file.name}", error.detail))
            else:
                digests[file.name, file.step] = digest
        present = self._digests(experiment_id)
        different = [name for (name, step), digest in digests.items() if present.get((name, step)) != digest]
        different += self._snapshots(experiment_id, run.snapshots)
        differences = tuple(f"file {name} is not as in the source" for name in different)
        return Kept(len(digests), tuple(left_out), differences)

    def _digests(self, experiment_id: ExperimentId) -> dict[tuple[str, int | None], str]:
        found = self._library.artifacts.list(experiment_id)
        return {(each.name, each.step): each.digest for each in found}

    def _put(self, experiment_id: ExperimentId, file: SourceFile, digest: str) -> None:
        size = _size(file.content)  # before anything is sent: a file that is gone is told as that
        self._upload(digest, file.content)
        media_type = file.media_type or mimetypes.guess_type(file.name)[0] or OCTETS
        self._library.artifacts.put(
            experiment_id,
            file.name,
            digest=digest,
            size=size,
            kind=file.kind,
            media_type=media_type,
            step=file.step,
            metadata=file.metadata,
        )

    def _upload(self, digest: str, content: Path | bytes) -> None:
        if self._library.artifacts.missing([digest]):
            self._library.artifacts.upload(digest, content)

    def _snapshots(self, experiment_id: ExperimentId, wanted: tuple[SourceSnapshot, ...]) -> list[str]:
        """Takes those that are not there; gives the names of what is not as it should be."""
        if not wanted:
            return []
        present = self._library.artifacts.snapshots(experiment_id)
        for each in wanted[len(present) :]:
            for file in each.files:
                if file.digest not in each.blobs:
                    raise Unavailable(f"{file.path} of a snapshot is not among the blobs of the export")
                self._upload(file.digest, each.blobs[file.digest])
            self._library.artifacts.snapshot(experiment_id, each.files, environment=each.environment)
        kept = self._library.artifacts.snapshots(experiment_id)
        if len(kept) == len(wanted) and all(
            one.files == other.files and same(one.environment, other.environment)
            for one, other in zip(kept, wanted, strict=True)
        ):
            return []
        return ["snapshots"]


def _size(content: Path | bytes) -> int:
    if isinstance(content, bytes):
        return len(content)
    with content.open("rb") as file:
        return file.seek(0, os.SEEK_END)


def _digest(content: Path | bytes) -> str:
    if isinstance(content, bytes):
        return digest_of(content)
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
