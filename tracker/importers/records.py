"""What every importer reads into: runs as another tool kept them, in terms of no tool.

A source is read run by run, so no more than one run's points are in memory at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tracker.domain.artifacts.snapshot import SnapshotFile
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.scalars.batch import Float64s, Int64s, StepTags

__all__ = ["FinalValue", "LeftOut", "Points", "Source", "SourceFile", "SourceRun", "SourceSnapshot"]


@dataclass(frozen=True)
class Points:
    """A time series in the order in which the tool wrote it.

    Attributes:
        step: int64 (n,).
        time: int64 (n,), microseconds since 1970-01-01 UTC.
        value: float64 (n,); what was float32 or a half is widened, which is exact.
    """

    step: Int64s
    time: Int64s
    value: Float64s

    @classmethod
    def of(cls, step: Any, time: Any, value: Any) -> Points:
        """Points out of anything that makes columns."""
        return cls(np.asarray(step, np.int64), np.asarray(time, np.int64), np.asarray(value, np.float64))

    def __len__(self) -> int:
        return len(self.value)

    def sorted(self) -> Points:
        """As a store gives them back: by step, and by arrival where steps are equal."""
        order = np.argsort(self.step, kind="stable")
        return Points(self.step[order], self.time[order], self.value[order])

    def rest(self, start: int, stop: int | None = None) -> Points:
        """Those from `start` up to `stop`, in arrival order."""
        return Points(self.step[start:stop], self.time[start:stop], self.value[start:stop])


@dataclass(frozen=True)
class FinalValue:
    """One value that a run is judged by."""

    name: str
    value: float
    step: int = 0
    label: str | None = None


@dataclass(frozen=True)
class SourceFile:
    """A file that belongs to a run.

    Attributes:
        name: a relative path with slashes.
        content: where it lies, or its bytes.
        kind: in the words of the field: file, image, text, ...
        media_type: empty = by its name.
        step: at which it was made, if at any.
        digest: SHA-256 of its bytes, where it is known.
    """

    name: str
    content: Path | bytes
    kind: str = "file"
    media_type: str = ""
    step: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    digest: str | None = None


@dataclass(frozen=True)
class SourceSnapshot:
    """The files a run ran with.

    Attributes:
        files: as tracker keeps them.
        environment: what was captured beside them.
        blobs: where the bytes of each digest lie.
    """

    files: tuple[SnapshotFile, ...]
    environment: Mapping[str, Any]
    blobs: Mapping[str, Path]


@dataclass(frozen=True)
class LeftOut:
    """Something that is not carried.

    Attributes:
        what: such as ``images img/0``.
        why: a short clause.
        count: how many of them.
        damaged: it could not be read although it should have been: the report counts as a failure.
    """

    what: str
    why: str
    count: int = 1
    damaged: bool = False


@dataclass(frozen=True)
class SourceRun:
    """A run as another tool kept it.

    Attributes:
        project: what the tool calls the thing that runs are kept in.
        key: names the run within its source, and always the same one.
        name: for people; need not be unique.
        status: where it was when it was last written.
        parent: key of the run it belongs under.
        merged_from: keys of further parents.
        started_at, completed_at: as the tool has it.
        description: notes.
        params: flat or nested; what is no JSON is told by `left_out`.
        features: a JSON tree.
        tags: as the tool has them.
        fields: further fields of an experiment, as tracker has them.
        series: points by the name of the scalar.
        metrics: final values.
        step_tags: what was put on steps.
        files: that belong to it.
        snapshots: what it ran with, oldest first.
        left_out: what the tool has and this record has not, and why.
    """

    project: str
    key: str
    name: str
    status: Status = Status.COMPLETE
    parent: str | None = None
    merged_from: tuple[str, ...] = ()
    started_at: datetime | None = None
    completed_at: datetime | None = None
    description: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    features: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    series: Mapping[str, Points] = field(default_factory=dict)
    metrics: tuple[FinalValue, ...] = ()
    step_tags: tuple[StepTags, ...] = ()
    files: tuple[SourceFile, ...] = ()
    snapshots: tuple[SourceSnapshot, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


class Source(Protocol):
    """Files of another tool."""

    @property
    def tool(self) -> str:
        """What the tool is called."""
        ...

    @property
    def place(self) -> str:
        """Where its files lie, for people."""
        ...

    def runs(self) -> Iterator[SourceRun]:
        """The runs, parents before their children.

        Raises:
            Invalid: something is not as the tool would have written it; names the place.
            Unavailable: a file cannot be read, or an extra is missing.
        """
        ...
