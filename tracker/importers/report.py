"""What an import did, and whether what can be read back is what the source has."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from tracker.importers.records import LeftOut, Points

__all__ = ["Report", "RunReport", "SeriesCheck", "checksum"]


def checksum(points: Points) -> str:
    """16 hexadecimal digits over step, time and the bits of the value of each point, by (step, arrival)."""
    ordered = points.sorted()
    digest = hashlib.blake2b(digest_size=8)
    for column in (ordered.step, ordered.time, ordered.value):
        digest.update(np.ascontiguousarray(column).data)
    return digest.hexdigest()


@dataclass(frozen=True)
class SeriesCheck:
    """One series of the source beside what was read back.

    Attributes:
        name: as it is kept here.
        points: in the source.
        found: points that were read back.
        checksum: of the source.
        kept: checksum of what was read back.
    """

    name: str
    points: int
    found: int
    checksum: str
    kept: str

    @property
    def is_same(self) -> bool:
        """Whether every bit came back."""
        return self.checksum == self.kept and self.points == self.found


@dataclass(frozen=True)
class RunReport:
    """One run.

    Attributes:
        name: of the experiment.
        project: its project's name.
        experiment_id: where it went.
        added: points that were not there before.
        series: each one checked.
        metrics: final values that are there.
        files: that are there.
        left_out: what was not carried.
        differences: what else is not as in the source, in words.
    """

    name: str
    project: str
    experiment_id: UUID
    added: int
    series: tuple[SeriesCheck, ...]
    metrics: int
    files: int = 0
    left_out: tuple[LeftOut, ...] = ()
    differences: tuple[str, ...] = ()

    @property
    def points(self) -> int:
        """Points in the source."""
        return sum(check.points for check in self.series)

    @property
    def checksum(self) -> str:
        """Over the checksums of its series."""
        told = "".join(f"{check.name}\0{check.kept}\0" for check in sorted(self.series, key=lambda c: c.name))
        return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that is not as it should be."""
        series = (
            f"{check.name}: {check.found} points here, {check.points} in the source; "
            f"checksum {check.kept}, not {check.checksum}"
            for check in self.series
            if not check.is_same
        )
        damaged = (f"{each.what}: {each.why} ({each.count})" for each in self.left_out if each.damaged)
        return (*series, *self.differences, *damaged)


@dataclass
class Report:
    """Everything of one import.

    Attributes:
        tool: whose files they were.
        place: where they are.
        runs: in the order in which they came.
        left_out: what belongs to no run and was not carried.
        differences: what is not as in the source and belongs to no run.
    """

    tool: str
    place: str
    runs: list[RunReport] = field(default_factory=list)
    left_out: tuple[LeftOut, ...] = ()
    differences: tuple[str, ...] = ()

    @property
    def is_faithful(self) -> bool:
        """Whether everything that was read is kept, bit for bit, and nothing was unreadable."""
        return not self.differences and not any(run.problems for run in self.runs)
