"""Runs out of folders with event files: one run a folder that has some, as TensorBoard sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from tracker.domain.errors import Invalid
from tracker.domain.experiments.lifecycle import Status
from tracker.importers.fitting import from_micros
from tracker.importers.protobuf import Malformed
from tracker.importers.records import LeftOut, Points, SourceRun
from tracker.importers.tensorboard.events import Event, Restart, SessionEnd, SessionStart, event_of
from tracker.importers.tensorboard.record_file import RecordFile

__all__ = ["TensorBoardRun", "TensorBoardSource"]

_MARK = "tfevents"


class TensorBoardSource:
    """A folder of TensorBoard, with what was read of it so far.

    Args:
        folder: with event files, or with folders that have some.
        still_running: runs whose files may still grow are told as running.
    """

    tool = "tensorboard"

    def __init__(self, folder: Path, *, still_running: bool = False) -> None:
        self._folder = folder
        self._status = Status.RUNNING if still_running else Status.COMPLETE
        self._runs: dict[PurePosixPath, TensorBoardRun] = {}
        self.place = str(folder)

    def runs(self) -> Iterator[SourceRun]:
        """Every run, with all points that its files have by now; call again for what came since.

        Raises:
            Invalid: there is no event file.
            Unavailable: a file cannot be read.
        """
        found = self._event_files()
        if not found:
            raise Invalid.field("DIR", f"{self._folder} has no event files (their names contain {_MARK})")
        for folder in sorted(found):
            run = self._runs.setdefault(folder, TensorBoardRun())
            for path in sorted(found[folder]):
                run.read(path)
            parent = next((each for each in folder.parents if each in found), None)
            yield run.record(
                self._folder.resolve().name, folder, key=_key(folder, found), status=self._status,
                parent=None if parent is None else _key(parent, found),
            )  # fmt: skip

    def finish(self) -> None:
        """From now on runs are told as complete."""
        self._status = Status.COMPLETE

    def _event_files(self) -> dict[PurePosixPath, list[Path]]:
        found: dict[PurePosixPath, list[Path]] = {}
        for path in self._folder.rglob(f"*{_MARK}*"):
            if path.is_file() and not path.name.endswith(".profile-empty"):
                folder = PurePosixPath(path.parent.relative_to(self._folder).as_posix())
                found.setdefault(folder, []).append(path)
        return found


def _key(folder: PurePosixPath, found: dict[PurePosixPath, list[Path]]) -> str:
    # Folders are called alike everywhere; the name of an event file tells when and where it was begun.
    return f"{folder}/{min(path.name for path in found[folder])}"


class TensorBoardRun:
    """What the event files of one folder say, as far as they were read."""

    def __init__(self) -> None:
        self._files: dict[Path, RecordFile] = {}
        self._columns: dict[str, tuple[list[int], list[int], list[float]]] = {}
        self._kinds: dict[str, str] = {}
        self._passed: Counter[tuple[str, str]] = Counter()
        self._params: dict[str, Any] = {}
        self._began: int | None = None
        self._ended: int | None = None
        self._told_status: Status | None = None
        self._malformed = 0
        self._purged = 0

    def read(self, path: Path) -> None:
        """Takes in what `path` has got since the last time."""
        file = self._files.setdefault(path, RecordFile(path))
        more = True
        while more:
            records, more = file.read()
            for record in records:
                try:
                    self._take(event_of(record))
                except (Malformed, IndexError):
                    self._malformed += 1

    def _take(self, event: Event) -> None:
        micros = round(event.time * 1_000_000)
        for item in event.items:
            if isinstance(item, SessionStart):
                self._params.update(item.params)
                self._began = round(item.started * 1_000_000) or self._began
            elif isinstance(item, SessionEnd):
                self._told_status = Status.FAILED if item.status == 2 else Status.COMPLETE
                self._ended = round(item.ended * 1_000_000) or self._ended
            elif isinstance(item, Restart):
                self._purge(event.step)
            else:
                kind = item.kind or self._kinds.get(item.tag, "")
                self._kinds[item.tag] = kind
                if item.number is None or kind not in ("", "scalar"):
                    self._passed[kind or "tensor", item.tag] += 1
                    continue
                steps, times, values = self._columns.setdefault(item.tag, ([], [], []))
                steps.append(event.step)
                times.append(micros)
                values.append(item.number)

    def _purge(self, step: int) -> None:
        """Drops what TensorBoard drops: points at `step` and later, from before a restart."""
        for steps, times, values in self._columns.values():
            kept = [index for index, at in enumerate(steps) if at < step]
            self._purged += len(steps) - len(kept)
            steps[:] = [steps[index] for index in kept]
            times[:] = [times[index] for index in kept]
            values[:] = [values[index] for index in kept]

    def record(
        self, project: str, folder: PurePosixPath, *, key: str, parent: str | None, status: Status
    ) -> SourceRun:
        """The run by now."""
        series = {tag: Points.of(*columns) for tag, columns in self._columns.items() if columns[0]}
        times = [
            int(edge) for points in series.values() for edge in (np.min(points.time), np.max(points.time))
        ]
        if status is Status.COMPLETE and self._told_status is not None:
            status = self._told_status
        ended: datetime | None = None
        if status.has_ended:
            ended = from_micros(self._ended or (max(times) if times else None))
        return SourceRun(
            project=project,
            key=key,
            name=project if folder == PurePosixPath(".") else str(folder),
            status=status,
            parent=parent,
            started_at=from_micros(self._began or (min(times) if times else None)),
            completed_at=ended,
            params=self._params,
            series=series,
            left_out=tuple(self._left_out()),
        )

    def _left_out(self) -> Iterator[LeftOut]:
        for (kind, tag), count in sorted(self._passed.items()):
            yield LeftOut(f"{kind} {tag}", "is no scalar", count)
        if self._purged:
            yield LeftOut(
                "points", "their writer began again at an earlier step, and they count no more", self._purged
            )
        if self._malformed:
            yield LeftOut("events", "are not as TensorBoard writes them", self._malformed, damaged=True)
        for path, file in self._files.items():
            if file.damaged:
                yield LeftOut(
                    f"records of {path.name}", "do not fit their checksum", file.damaged, damaged=True
                )
            if file.broken:
                why = f"from byte {file.at} on its records cannot be told apart: a length is damaged"
                yield LeftOut(f"the end of {path.name}", why, damaged=True)
            elif file.unread:
                why = f"its last {file.unread} bytes are no whole record (cut off, or still being written)"
                yield LeftOut(f"the end of {path.name}", why)
