"""CSV files: wide (a column a metric) or long (a row a point)."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tracker.domain.errors import Invalid, Unavailable
from tracker.importers.columns import Columns
from tracker.importers.fitting import from_micros
from tracker.importers.records import LeftOut, SourceRun

__all__ = ["CsvColumns", "CsvSource"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEPS = ("step", "global_step", "_step", "iteration", "iter", "epoch")
_RUNS = ("run", "run_name", "experiment", "run_id")
_TIMES = ("time", "timestamp", "wall_time", "_timestamp", "datetime", "date")
_NAMES = ("name", "metric", "key", "scalar", "tag")
_VALUES = ("value",)


@dataclass(frozen=True)
class CsvColumns:
    """Which column means what; ``None`` = found by its name."""

    step: str | None = None
    run: str | None = None
    time: str | None = None


@dataclass(frozen=True)
class _Layout:
    """Places of columns in a row."""

    step: int
    run: int | None
    time: int | None
    long: tuple[int, int] | None  # name and value
    metrics: tuple[tuple[int, str], ...]


class CsvSource:
    """One file, or every ``.csv`` file in a folder.

    Args:
        path: of the file or folder.
        columns: what was said about columns.
    """

    tool = "csv"

    def __init__(self, path: Path, columns: CsvColumns) -> None:
        self._path = path
        self._columns = columns
        self.place = str(path)

    def runs(self) -> Iterator[SourceRun]:
        """The runs of each file in the order in which they come.

        Raises:
            Invalid: a file is not as it should be; names line and column.
            Unavailable: one cannot be read.
        """
        files = sorted(self._path.glob("*.csv")) if self._path.is_dir() else [self._path]
        if not files:
            raise Invalid.field("PATH", f"{self._path} has no .csv files")
        project = self._path.resolve().name if self._path.is_dir() else self._path.stem
        for file in files:
            yield from _File(file, self._columns).runs(project)


class _File:
    def __init__(self, path: Path, columns: CsvColumns) -> None:
        self._path = path
        self._columns = columns
        self._empty = 0

    def runs(self, project: str) -> Iterator[SourceRun]:
        collected: dict[str, Columns] = {}
        times: dict[str, list[int]] = {}
        for run, columns, time in self._points(collected):
            edges = times.setdefault(run, [time, time]) if columns is not None else [0, 0]
            edges[:] = min(edges[0], time), max(edges[1], time)
        empty = (LeftOut("cells", "are empty", self._empty),) if self._empty else ()
        for place, (run, columns) in enumerate(collected.items()):
            first, last = times[run] if times[run][1] else (None, None)
            yield SourceRun(
                project=project, key=f"{self._path.name}/{run}", name=run or self._path.stem,
                started_at=from_micros(first), completed_at=from_micros(last),
                series=columns.series, left_out=empty if place == 0 else (),
            )  # fmt: skip

    def _points(self, collected: dict[str, Columns]) -> Iterator[tuple[str, Columns, int]]:
        with self._rows() as rows:
            header = next(rows, None)
            if header is None:
                raise Invalid.field("PATH", f"{self._path} is empty")
            layout = self._layout([name.strip() for name in header])
            for row in rows:
                if not any(row):
                    continue
                if len(row) != len(header):
                    raise self._wrong(rows, f"has {len(row)} cells, and the first line {len(header)}")
                run = row[layout.run] if layout.run is not None else ""
                columns = collected.setdefault(run, Columns())
                step = self._step(rows, header, row, layout.step)
                time = 0 if layout.time is None else self._time(rows, header, row, layout.time)
                for name, at in self._cells(layout, row):
                    if row[at].strip():
                        columns.add(name, step, time, self._value(rows, header, row, at))
                    else:
                        self._empty += 1
                yield run, columns, time

    @staticmethod
    def _cells(layout: _Layout, row: Sequence[str]) -> Iterator[tuple[str, int]]:
        if layout.long is not None:
            yield row[layout.long[0]], layout.long[1]
        else:
            for at, name in layout.metrics:
                yield name, at

    def _rows(self) -> _Rows:
        try:
            return _Rows(self._path)
        except OSError as error:
            raise Unavailable(f"{self._path} cannot be read: {error.strerror or error}") from error

    def _layout(self, header: Sequence[str]) -> _Layout:
        doubled = next((name for name in header if header.count(name) > 1), None)
        if doubled is not None:
            raise Invalid.field("PATH", f"{self._path}, line 1: two columns are called {doubled!r}")
        step = self._found(header, self._columns.step, _STEPS, "--step")
        if step is None:
            raise Invalid.field(
                "--step", f"no column of {self._path.name} is called {' or '.join(_STEPS)}; --step names it: "
                f"{', '.join(header)}",
            )  # fmt: skip
        run = self._found(header, self._columns.run, _RUNS, "--run")
        time = self._found(header, self._columns.time, _TIMES, "--time")
        name, value = (self._found(header, None, words, "") for words in (_NAMES, _VALUES))
        if name is not None and value is not None:
            return _Layout(step, run, time, (name, value), ())
        rest = [(at, each) for at, each in enumerate(header) if at not in (step, run, time)]
        if not rest:
            raise Invalid.field("PATH", f"{self._path}, line 1: no column is left to be a metric")
        return _Layout(step, run, time, None, tuple(rest))

    def _found(
        self, header: Sequence[str], given: str | None, usual: Sequence[str], option: str
    ) -> int | None:
        if given is not None:
            if given not in header:
                raise Invalid.field(
                    option, f"{self._path.name} has no column {given!r}; it has {', '.join(header)}"
                )
            return header.index(given)
        lower = [name.lower() for name in header]
        return next((lower.index(name) for name in usual if name in lower), None)

    def _step(self, rows: _Rows, header: Sequence[str], row: Sequence[str], at: int) -> int:
        text = row[at].strip()
        try:
            step = int(text)
        except ValueError:
            number = self._value(rows, header, row, at)
            if not number.is_integer() or abs(number) > 2**53:
                raise self._wrong(rows, f"column {header[at]}: {text!r} is no whole number") from None
            step = int(number)
        if not -(2**63) <= step < 2**63:
            raise self._wrong(rows, f"column {header[at]}: {text!r} does not fit into 64 bits")
        return step

    def _value(self, rows: _Rows, header: Sequence[str], row: Sequence[str], at: int) -> float:
        try:
            return float(row[at])
        except ValueError:
            raise self._wrong(rows, f"column {header[at]}: {row[at]!r} is no number") from None

    def _time(self, rows: _Rows, header: Sequence[str], row: Sequence[str], at: int) -> int:
        text = row[at].strip()
        try:
            seconds = float(text)
        except ValueError:
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                raise self._wrong(
                    rows, f"column {header[at]}: {text!r} is neither seconds since 1970 nor an ISO time"
                ) from None
            return (moment.replace(tzinfo=moment.tzinfo or UTC) - _EPOCH) // timedelta(microseconds=1)
        # Seconds of our time have ten digits before the point, milliseconds thirteen, microseconds sixteen.
        unit = 1_000_000 if abs(seconds) < 1e11 else 1_000 if abs(seconds) < 1e14 else 1
        micros = seconds * unit
        if not math.isfinite(micros) or abs(micros) >= 2**63:
            raise self._wrong(rows, f"column {header[at]}: {text!r} is no time")
        return round(micros)

    def _wrong(self, rows: _Rows, why: str) -> Invalid:
        return Invalid.field("PATH", f"{self._path}, line {rows.line}: {why}")


class _Rows:
    """The rows of a file, with the delimiter that its first line has."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text = path.open(encoding="utf-8-sig", newline="")
        try:
            first = self._text.readline()
        except UnicodeDecodeError as error:
            self._text.close()
            raise Invalid.field("PATH", f"{path} is not UTF-8 text: {error}") from error
        self._text.seek(0)
        delimiter = max(",;\t|", key=first.count)
        self._reader = csv.reader(self._text, delimiter=delimiter, strict=True)

    def __enter__(self) -> _Rows:
        return self

    def __exit__(self, *raised: object) -> None:
        self._text.close()

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        try:
            return next(self._reader)
        except (csv.Error, UnicodeDecodeError) as error:
            raise Invalid.field("PATH", f"{self._path}, line {self.line}: {error}") from error

    @property
    def line(self) -> int:
        """Of the row that was read last."""
        return self._reader.line_num
