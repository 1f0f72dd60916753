"""Runs out of trackio's files: one SQLite database a project."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tracker.domain.errors import Invalid
from tracker.importers.columns import Columns
from tracker.importers.fitting import from_micros
from tracker.importers.json_values import parsed
from tracker.importers.read_only import columns_of, reading
from tracker.importers.records import LeftOut, SourceRun

__all__ = ["TrackioSource"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OWN = ("_Created", "_Group", "_Username")
# JSON has no such numbers, so trackio keeps these words, and reads them back as numbers too.
_NUMBERS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


class TrackioSource:
    """One database, or every one in a folder."""

    tool = "trackio"

    def __init__(self, path: Path) -> None:
        self._path = path
        self.place = str(path)

    def runs(self) -> Iterator[SourceRun]:
        """The runs of each database, in the order in which they began.

        Raises:
            Invalid: there is no database, or one that is not trackio's.
            Unavailable: a file cannot be read.
        """
        files = [self._path] if self._path.is_file() else sorted(self._path.glob("*.db"))
        if not files:
            raise Invalid.field(
                "PATH", f"{self._path} has no .db files, as trackio keeps one for each project"
            )
        for file in files:
            with reading(file, self.tool) as connection:
                yield from _Database(connection, file.stem).runs()


class _Database:
    def __init__(self, connection: sqlite3.Connection, project: str) -> None:
        self._connection = connection
        self._project = project
        # Older versions tell runs apart by their names alone.
        self._identity = "run_id" if "run_id" in columns_of(connection, "metrics") else "run_name"

    def runs(self) -> Iterator[SourceRun]:
        rows = self._rows("SELECT {run} AS run, run_name FROM metrics GROUP BY {run} ORDER BY min(id)")
        names = {row["run"]: row["run_name"] for row in rows}
        configs: dict[str, dict[str, Any]] = {}
        if self._has("configs"):
            for row in self._rows("SELECT {run} AS run, run_name, config FROM configs ORDER BY id"):
                names.setdefault(row["run"], row["run_name"])
                configs[row["run"]] = _parsed(row["config"])
        for run, name in names.items():
            yield self._run(run, name, configs.get(run, {}))

    def _rows(self, query: str, *values: str) -> list[sqlite3.Row]:
        return self._connection.execute(query.replace("{run}", self._identity), values).fetchall()

    def _has(self, table: str) -> bool:
        return self._identity in columns_of(self._connection, table)

    def _run(self, run: str, name: str, config: Mapping[str, Any]) -> SourceRun:
        history, system = Columns(), Columns()
        times: list[int] = []
        for row in self._rows("SELECT timestamp, step, metrics FROM metrics WHERE {run}=? ORDER BY id", run):
            times.append(_micros(row["timestamp"]))
            history.add_row(_parsed(row["metrics"]), row["step"], times[-1])
        if self._has("system_metrics"):
            query = "SELECT timestamp, metrics FROM system_metrics WHERE {run}=? ORDER BY id"
            for at, row in enumerate(self._rows(query, run)):
                values = {f"system/{key}": value for key, value in _parsed(row["metrics"]).items()}
                system.add_row(values, at, _micros(row["timestamp"]))
        began, group = config.get("_Created"), config.get("_Group")
        return SourceRun(
            project=self._project,
            key=run,
            name=name,
            started_at=from_micros(_micros(began) if began else min(times, default=None)),
            completed_at=from_micros(max(times, default=None)),
            params={key: value for key, value in config.items() if key not in _OWN},
            tags=(f"group:{group}",) if group else (),
            series={**history.series, **system.series},
            left_out=(*history.left_out(), *system.left_out(), *self._others(run)),
        )

    def _others(self, run: str) -> Iterator[LeftOut]:
        counts = {
            "traces": "SELECT count(*) FROM traces WHERE {run}=?",
            "alerts": "SELECT count(*) FROM alerts WHERE {run}=?",
        }
        for table, query in counts.items():
            ((count,),) = self._rows(query, run) if self._has(table) else [(0,)]
            if count:
                yield LeftOut(table, "have no place here", count)


def _parsed(told: str | bytes) -> dict[str, Any]:
    try:
        found = parsed(told)
    except ValueError as error:
        raise Invalid.field("PATH", f"a row of trackio holds no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Invalid.field("PATH", "a row of trackio holds no JSON object")
    return {key: _restored(value) for key, value in found.items()}


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _restored(item) for key, item in value.items()}
    return _NUMBERS.get(value, value) if isinstance(value, str) else value


def _micros(told: str) -> int:
    try:
        at = datetime.fromisoformat(told)
    except ValueError as error:
        raise Invalid.field("PATH", f"{told!r} is no time, as trackio writes it") from error
    return (at.replace(tzinfo=at.tzinfo or UTC) - _EPOCH) // timedelta(microseconds=1)
