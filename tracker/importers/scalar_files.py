"""Series in files: one row a point, CSV or Parquet, every bit kept.

The columns are ``experiment_id``, ``experiment`` (its name), ``scalar``, ``step``, ``time`` (microseconds
since 1970 UTC), ``value`` and ``tags``. A row with tags is no point: it has a step and, in ``tags``, the JSON
of ``{"scalars": [...], "tags": [...]}``. In CSV a NaN that is not the usual one is ``NaN:`` and its bits.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import struct
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self
from uuid import UUID

import numpy as np

from tracker.domain.errors import Invalid
from tracker.domain.ids import BatchId, ExperimentId
from tracker.domain.scalars.batch import Float64s, Int64s, ScalarBatch, StepTags
from tracker.domain.scalars.series import Series

__all__ = [
    "COLUMNS",
    "POINTS_A_PART",
    "Part",
    "Reader",
    "Writer",
    "reader_of",
    "tags_from",
    "tags_text",
    "writer_of",
]

COLUMNS = ("experiment_id", "experiment", "scalar", "step", "time", "value", "tags")
POINTS_A_PART = 200_000  # of 24 bytes: fits into a request

_USUAL_NAN = 0x7FF8000000000000


@dataclass(frozen=True)
class Part:
    """Some points of one series in their order, or the tags of an experiment.

    Attributes:
        experiment_id: the one it was written from.
        experiment: its name.
        scalar: the name of the series; empty for tags.
        step, time, value: columns of equal length.
        tags: on steps.
    """

    experiment_id: UUID
    experiment: str
    scalar: str = ""
    step: Int64s = field(default_factory=lambda: np.empty(0, np.int64))
    time: Int64s = field(default_factory=lambda: np.empty(0, np.int64))
    value: Float64s = field(default_factory=lambda: np.empty(0, np.float64))
    tags: tuple[StepTags, ...] = ()

    @classmethod
    def of_series(cls, experiment: str, series: Series) -> Iterator[Self]:
        """The parts of a whole series."""
        for start in range(0, len(series), POINTS_A_PART):
            rows = slice(start, start + POINTS_A_PART)
            yield cls(
                series.experiment_id, experiment, series.name,
                series.step[rows], series.time[rows], series.value[rows],
            )  # fmt: skip

    @classmethod
    def of_tags(cls, experiment_id: UUID, experiment: str, tags: Sequence[StepTags]) -> Self:
        """The tags of an experiment."""
        return cls(experiment_id, experiment, tags=tuple(tags))

    def __len__(self) -> int:
        return len(self.value)

    def batch(self, receiver: ExperimentId, place: str) -> ScalarBatch:
        """What `receiver` is to keep; the same part at the same `place` has the same id."""
        digest = hashlib.blake2b(f"{place} {self.scalar} {self.tags!r}".encode(), digest_size=16)
        for column in (self.step, self.time, self.value):
            digest.update(np.ascontiguousarray(column).data)
        return ScalarBatch(
            id=BatchId(UUID(bytes=digest.digest())),
            experiment_id=receiver,
            names=(self.scalar,) if len(self) else (),
            series=np.zeros(len(self), np.int64),
            step=self.step,
            time=self.time,
            value=self.value,
            tags=self.tags,
        )


class Writer(Protocol):
    """Takes parts, one behind the other."""

    def write(self, part: Part) -> None:
        """Writes one."""
        ...


class Reader(Protocol):
    """Gives the parts of a file; `total` is about how many rows there are."""

    total: int

    def __iter__(self) -> Iterator[Part]: ...


def writer_of(file: Path, written: Path) -> AbstractContextManager[Writer]:
    """A writer of the kind that the name of `file` says, into `written`.

    Raises:
        Invalid: it says none.
    """
    if _is_parquet(file):
        from tracker.importers.scalar_parquet import ParquetRows  # noqa: PLC0415  (late: an extra)

        return ParquetRows.writing(written)
    return _writing_csv(written)


def reader_of(file: Path) -> AbstractContextManager[Reader]:
    """A reader of the kind that the name of `file` says.

    Raises:
        Invalid: the file has other columns, or a name of no kind.
    """
    if _is_parquet(file):
        from tracker.importers.scalar_parquet import ParquetRows  # noqa: PLC0415  (late: an extra)

        return ParquetRows.reading(file)
    return _reading_csv(file)


def tags_text(tags: StepTags) -> str:
    """Tags as a cell has them."""
    return json.dumps({"scalars": tags.names, "tags": tags.tags}, ensure_ascii=False)


def tags_from(step: int, text: str) -> StepTags:
    """The tags of :func:`tags_text`.

    Raises:
        ValueError: the cell holds something else.
    """
    try:
        told = json.loads(text)
        return StepTags(step=step, names=tuple(told["scalars"]), tags=tuple(told["tags"]))
    except (TypeError, LookupError, Invalid) as error:
        raise ValueError(f"{text!r} are no tags") from error


def _is_parquet(file: Path) -> bool:
    if file.suffix not in (".csv", ".parquet"):
        raise Invalid.field("FILE", f"{file.name} ends neither in .csv nor in .parquet")
    return file.suffix == ".parquet"


@contextmanager
def _writing_csv(written: Path) -> Iterator[Writer]:
    with written.open("w", encoding="utf-8", newline="") as text:
        rows = csv.writer(text)
        rows.writerow(COLUMNS)
        yield _CsvWriter(rows)


@dataclass
class _CsvWriter:
    rows: Any  # what csv.writer makes, which has no public type before Python 3.13

    def write(self, part: Part) -> None:
        """Writes one."""
        key = (part.experiment_id, part.experiment, part.scalar)
        points = zip(part.step.tolist(), part.time.tolist(), map(_text, part.value.tolist()), strict=True)
        self.rows.writerows((*key, step, time, value, "") for step, time, value in points)
        self.rows.writerows((*key, tags.step, "", "", tags_text(tags)) for tags in part.tags)


@contextmanager
def _reading_csv(file: Path) -> Iterator[Reader]:
    with file.open("rb") as raw:
        total = sum(block.count(b"\n") for block in iter(lambda: raw.read(1 << 20), b"")) - 1
    with file.open(encoding="utf-8", newline="") as text:
        yield _CsvReader(file.name, text, total)


class _CsvReader:
    def __init__(self, name: str, text: Iterator[str], total: int) -> None:
        self.total = total
        self._name = name
        self._rows = csv.reader(text)
        if next(self._rows, None) != list(COLUMNS):
            raise Invalid.field("FILE", f"{name} must begin with the columns {','.join(COLUMNS)}")

    def __iter__(self) -> Iterator[Part]:
        key: list[str] = []
        waiting: list[list[str]] = []
        for row in self._rows:
            own = [*row[:3], "" if len(row) < len(COLUMNS) or not row[6] else "tags"]
            if waiting and (own != key or len(waiting) >= POINTS_A_PART):
                yield self._part(waiting)
                waiting = []
            key = own
            waiting.append(row)
        if waiting:
            yield self._part(waiting)

    def _part(self, rows: list[list[str]]) -> Part:
        try:
            source, experiment, scalar = UUID(rows[0][0]), rows[0][1], rows[0][2]
            if rows[0][6]:
                tags = tuple(tags_from(int(row[3]), row[6]) for row in rows)
                return Part(source, experiment, tags=tags)
            return Part(
                source,
                experiment,
                scalar,
                np.array([int(row[3]) for row in rows], np.int64),
                np.array([int(row[4]) for row in rows], np.int64),
                np.array([_number(row[5]) for row in rows], np.float64),
            )
        except (ValueError, LookupError, OverflowError) as error:
            where = f"{self._name}, within the {len(rows)} lines up to {self._rows.line_num}"
            raise Invalid.field("FILE", f"{where}: {error}") from error


def _text(value: float) -> str:
    """The shortest text that is read back as the same float."""
    if math.isfinite(value):
        return repr(value)
    if math.isnan(value):
        (bits,) = struct.unpack("<Q", struct.pack("<d", value))
        return "NaN" if bits == _USUAL_NAN else f"NaN:{bits:016x}"
    return "Infinity" if value > 0 else "-Infinity"


def _number(text: str) -> float:
    if text.startswith("NaN:"):
        (value,) = struct.unpack("<d", struct.pack("<Q", int(text[4:], 16)))
        return float(value)
    return float(text)
