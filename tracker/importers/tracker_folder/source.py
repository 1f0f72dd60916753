"""Reads the folder of an export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from tracker.domain.artifacts.snapshot import SnapshotFile
from tracker.domain.errors import Invalid
from tracker.domain.experiments.ending import EndKind
from tracker.domain.experiments.lifecycle import Status
from tracker.importers.records import FinalValue, LeftOut, Points, SourceFile, SourceRun, SourceSnapshot
from tracker.importers.scalar_files import Part, reader_of
from tracker.importers.tracker_folder.layout import (
    EXPERIMENTS,
    FORMAT,
    MANIFEST,
    PROJECT,
    VERSION,
    blob_path,
    digest_of,
    json_of,
    lines_of,
)

__all__ = ["TrackerFolder"]

_AS_THEY_ARE = ("color", "position", "progress", "git_diff", "end_reason")
_READ = frozenset({
    *_AS_THEY_ARE, "id", "name", "status", "parent_id", "merged_from", "started_at", "completed_at",
    "description", "params", "features", "tags", "metrics", "end_kind",
    "artifacts", "snapshots", "branches",
})  # fmt: skip
_OF_THE_PLACE = frozenset({"project_id", "created_at", "created_by", "heartbeat_at", "run_key", "version"})
"""Say who made it where and when; here that is the import."""


class TrackerFolder:
    """An export, whose files are checked before anything is read of them.

    Args:
        folder: that ``tracker export`` made.

    Raises:
        Invalid: it is no export, of a later version, or not as it was written.
        Unavailable: a file cannot be read.
    """

    tool = "tracker"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.place = str(folder)
        if not (folder / MANIFEST).is_file():
            raise Invalid.field("DIR", f"{folder} is no export: it has no {MANIFEST}")
        manifest = json_of(folder / MANIFEST)
        if manifest.get("format") != FORMAT or not isinstance(manifest.get("sha256"), dict):
            raise Invalid.field("DIR", f"{folder / MANIFEST} is not of an export of tracker")
        if manifest.get("version") != VERSION:
            told = manifest.get("version")
            raise Invalid.field(
                "DIR", f"{folder} is of version {told!r}; this tracker reads version {VERSION}"
            )
        for name, digest in manifest["sha256"].items():
            if digest_of(folder / name) != digest:
                raise Invalid.field("DIR", f"{folder / name} is not as it was written; export it again")
        self._scalars = next(folder / name for name in manifest["sha256"] if name.startswith("scalars."))
        told = json_of(folder / PROJECT)
        self.project_id: str = str(manifest.get("project_id"))
        self.project: Mapping[str, Any] = told["project"]
        self.queries: tuple[Mapping[str, Any], ...] = tuple(told["queries"])
        self.hypotheses: tuple[Mapping[str, Any], ...] = tuple(told["hypotheses"])

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids that the experiments had."""
        return tuple(str(line["id"]) for line in lines_of(self._folder / EXPERIMENTS))

    def runs(self) -> Iterator[SourceRun]:
        """The experiments, parents before their children, as they were written.

        Raises:
            Invalid: a line or a row is not as it was written.
        """
        with reader_of(self._scalars) as reader:
            parts = iter(reader)
            waiting = next(parts, None)
            for line in lines_of(self._folder / EXPERIMENTS):
                own: list[Part] = []
                while waiting is not None and str(waiting.experiment_id) == line["id"]:
                    own.append(waiting)
                    waiting = next(parts, None)
                yield self._run(line, own)
            if waiting is not None:
                raise Invalid.field("DIR", f"{self._scalars} has points of an experiment that is not there")

    def _run(self, line: Mapping[str, Any], parts: list[Part]) -> SourceRun:
        fields = {name: line[name] for name in _AS_THEY_ARE if line.get(name) is not None}
        if line.get("end_kind") is not None:
            fields["end_kind"] = EndKind(line["end_kind"])
        unknown = [
            LeftOut(f"field {name}", "is not known to this version")
            for name in sorted(line.keys() - _READ - _OF_THE_PLACE)
        ]
        if line.get("branches"):
            why = "what a resumed run abandoned is not in an export"
            unknown.append(LeftOut("branches", why, line["branches"]))
        return SourceRun(
            project=str(self.project["name"]),
            key=line["id"],
            name=line["name"],
            status=Status(line["status"]),
            parent=line["parent_id"],
            merged_from=tuple(line["merged_from"]),
            started_at=_moment(line["started_at"]),
            completed_at=_moment(line["completed_at"]),
            description=line["description"],
            params=line["params"],
            features=line["features"],
            tags=tuple(line["tags"]),
            fields=fields,
            series=dict(_series(parts)),
            metrics=tuple(
                FinalValue(each["name"], float(each["value"]), each["step"], each["label"])
                for each in line["metrics"]
            ),
            files=tuple(map(self._file, line["artifacts"])),
            snapshots=tuple(map(self._snapshot, line["snapshots"])),
            step_tags=tuple(tag for part in parts for tag in part.tags),
            left_out=tuple(unknown),
        )

    def _file(self, told: Mapping[str, Any]) -> SourceFile:
        return SourceFile(
            name=told["name"],
            content=blob_path(self._folder, told["digest"]),
            kind=told["kind"],
            media_type=told["media_type"],
            step=told["step"],
            metadata=told["metadata"],
            digest=told["digest"],
        )

    def _snapshot(self, told: Mapping[str, Any]) -> SourceSnapshot:
        files = tuple(SnapshotFile(**each) for each in told["files"])
        blobs = {file.digest: blob_path(self._folder, file.digest) for file in files}
        return SourceSnapshot(files, told["environment"], blobs)


def _series(parts: list[Part]) -> Iterator[tuple[str, Points]]:
    names = dict.fromkeys(part.scalar for part in parts if len(part))
    for name in names:
        own = [part for part in parts if part.scalar == name and len(part)]
        yield (
            name,
            Points.of(
                _joined([part.step for part in own]),
                _joined([part.time for part in own]),
                _joined([part.value for part in own]),
            ),
        )


def _joined(columns: list[Any]) -> Any:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
