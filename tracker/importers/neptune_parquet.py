"""What neptune-exporter writes: Parquet files, one attribute value or series point a row.

The columns are those of its README ("Parquet schema"): ``project_id, run_id, attribute_path, attribute_type,
step (decimal), timestamp`` and one column a type of value. A run has parts ``*_part_N.parquet`` in the folder
of its project; files that were downloaded lie elsewhere and are told by their paths.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tracker.domain.errors import Invalid, Unavailable
from tracker.domain.experiments.lifecycle import Status
from tracker.importers.columns import Columns
from tracker.importers.records import LeftOut, SourceRun

__all__ = ["NeptuneSource"]

_NEEDED = ("project_id", "run_id", "attribute_path", "attribute_type", "step", "timestamp", "float_value")
_VALUES = {
    "float": "float_value", "int": "int_value", "string": "string_value", "bool": "bool_value",
    "datetime": "datetime_value", "string_set": "string_set_value",
}  # fmt: skip
_ROWS = 100_000
_PARENT = "sys/forking/parent"


class NeptuneSource:
    """Everything below a folder, or one file.

    Args:
        path: what ``neptune-exporter export --data-path`` was given.
        step_multiplier: Neptune's steps are decimals; times this they must be whole.
    """

    tool = "neptune-parquet"

    def __init__(self, path: Path, step_multiplier: int = 1) -> None:
        self._path = path
        self._multiplier = step_multiplier
        self.place = str(path)

    def runs(self) -> Iterator[SourceRun]:
        """The runs, those that were forked behind those they were forked from.

        Raises:
            Invalid: there is no Parquet file, or one with other columns.
            Unavailable: pyarrow is missing.
        """
        files = sorted(self._path.rglob("*.parquet")) if self._path.is_dir() else [self._path]
        if not files:
            raise Invalid.field("PATH", f"{self._path} has no .parquet files")
        waiting: dict[tuple[str, str], _Run] = {}
        for (project, run_id), parts in sorted(self._by_run(files).items()):
            waiting[project, run_id] = _Run(project, run_id, parts)
        while waiting:
            ready = [key for key, run in waiting.items() if (key[0], run.parent) not in waiting]
            for key in ready or list(waiting):
                yield waiting.pop(key).record(self._multiplier)

    def _by_run(self, files: list[Path]) -> dict[tuple[str, str], list[Path]]:
        """The files of each run: its parts in their order."""
        found: dict[tuple[str, str], list[Path]] = {}
        for file in sorted(files, key=lambda path: (path.parent, _part(path))):
            for row in _rows(file, ["project_id", "run_id"]):
                key = (row["project_id"], row["run_id"])
                parts = found.setdefault(key, [])
                if file not in parts:
                    parts.append(file)
        return found


def _part(path: Path) -> tuple[str, int]:
    name, mark, number = path.stem.rpartition("_part_")
    return (name, int(number)) if mark and number.isdigit() else (path.stem, 0)


def _rows(file: Path, columns: list[str] | None = None) -> Iterator[Mapping[str, Any]]:
    try:
        import pyarrow as pa  # noqa: PLC0415  (late: an extra)
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise Unavailable("Parquet needs pyarrow: pip install 'tracker[parquet]'") from error
    try:
        with parquet.ParquetFile(file) as opened:
            lacking = [name for name in _NEEDED if name not in opened.schema_arrow.names]
            if lacking:
                raise Invalid.field(
                    "PATH", f"{file} has no column {lacking[0]}, so neptune-exporter did not write it"
                )
            for batch in opened.iter_batches(_ROWS, columns=columns):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise Invalid.field("PATH", f"{file} is no Parquet file that can be read: {error}") from error


@dataclass
class _Run:
    project: str
    id: str
    files: list[Path]
    _single: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self._of_mine():
            kind = row["attribute_type"]
            if kind in _VALUES:
                self._single[row["attribute_path"]] = row.get(_VALUES[kind])

    @property
    def parent(self) -> str | None:
        told = self._single.get(_PARENT)
        return str(told) if told else None

    def _of_mine(self) -> Iterator[Mapping[str, Any]]:
        for file in self.files:
            for row in _rows(file):
                if row["run_id"] == self.id and row["project_id"] == self.project:
                    yield row

    def record(self, multiplier: int) -> SourceRun:
        columns, passed, uneven = Columns(), Counter[tuple[str, str]](), Counter[str]()
        for row in self._of_mine():
            kind, path = row["attribute_type"], row["attribute_path"]
            if kind == "float_series":
                step = (row["step"] or Decimal(0)) * multiplier
                if step != int(step):
                    uneven[path] += 1
                elif row["float_value"] is not None:
                    columns.add(path, int(step), _micros(row["timestamp"]), row["float_value"])
            elif kind not in _VALUES:
                passed[kind, path] += 1
        told = {path: _plain(value) for path, value in self._single.items()}
        failed = bool(told.get("sys/failed"))
        return SourceRun(
            project=self.project,
            key=self.id,
            name=str(told.get("sys/name") or told.get("sys/custom_run_id") or self.id),
            status=Status.FAILED if failed else Status.COMPLETE,
            parent=self.parent,
            started_at=_moment(self._single.get("sys/creation_time")),
            completed_at=_moment(self._single.get("sys/modification_time")),
            description=str(told.get("sys/description") or ""),
            params={path: value for path, value in told.items() if path not in _CARRIED},
            tags=tuple(map(str, (*(told.get("sys/tags") or ()), *(told.get("sys/group_tags") or ())))),
            series=columns.series,
            left_out=tuple(_left_out(passed, uneven)),
        )


def _left_out(passed: Counter[tuple[str, str]], uneven: Counter[str]) -> Iterator[LeftOut]:
    for (kind, path), count in sorted(passed.items()):
        yield LeftOut(f"{kind} {path}", "is no number", count)
    for path, count in uneven.items():
        why = "have steps that are not whole; --step-multiplier 1000 may make them so"
        yield LeftOut(f"points of {path}", why, count, damaged=True)


_CARRIED = frozenset(
    {
        "sys/creation_time",
        "sys/modification_time",
        "sys/name",
        "sys/description",
        "sys/tags",
        "sys/group_tags",
        "sys/failed",
        _PARENT,
    }
)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _moment(value: Any) -> datetime | None:
    return value if isinstance(value, datetime) and value.tzinfo is not None else None


def _micros(at: datetime | None) -> int:
    return 0 if at is None else round(at.timestamp() * 1000) * 1000
