"""Runs out of MLflow's SQLite database."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path

from tracker.importers.columns import Columns
from tracker.importers.mlflow.runs import MlflowRun
from tracker.importers.read_only import reading
from tracker.importers.records import LeftOut, Points

__all__ = ["runs_in_database"]

_LARGEST = 1.7976931348623157e308


def runs_in_database(path: Path) -> list[MlflowRun]:
    """Every run that is not deleted, without its points, which :func:`points_of` reads.

    Raises:
        Invalid: it is no database of MLflow.
        Unavailable: it cannot be read.
    """
    with reading(path, "mlflow") as connection:
        rows = connection.execute(
            "SELECT r.*, e.name AS experiment FROM runs r JOIN experiments e USING (experiment_id) "
            "WHERE r.lifecycle_stage = 'active' ORDER BY r.start_time, r.rowid"
        ).fetchall()
        params = _pairs(connection, "SELECT run_uuid, key, value FROM params ORDER BY rowid")
        tags = _pairs(connection, "SELECT run_uuid, key, value FROM tags ORDER BY rowid")
    return [
        MlflowRun(
            experiment=row["experiment"], id=row["run_uuid"], name=_name(row), status=row["status"] or "",
            start=row["start_time"], end=row["end_time"] or None, artifacts=row["artifact_uri"] or "",
            params=params.get(row["run_uuid"], {}), tags=tags.get(row["run_uuid"], {}),
        )
        for row in rows
    ]  # fmt: skip


def points_of(path: Path, run_id: str) -> tuple[dict[str, Points], tuple[LeftOut, ...]]:
    """The whole history of each metric of a run, and what is odd about it."""
    columns = Columns()
    clipped = 0
    with reading(path, "mlflow") as connection:
        rows = connection.execute(
            "SELECT key, value, timestamp, step, is_nan FROM metrics WHERE run_uuid=? ORDER BY rowid",
            (run_id,),
        )
        for row in rows:
            value = math.nan if row["is_nan"] else row["value"]
            clipped += abs(value) == _LARGEST
            columns.add(row["key"], row["step"], row["timestamp"] * 1000, value)
    why = "were infinite, or as large as a number gets: MLflow keeps both as 1.7976931348623157e308"
    return columns.series, (LeftOut("values", why, clipped),) if clipped else ()


def _name(row: sqlite3.Row) -> str:
    # Before MLflow 2 the name was but a tag.
    return str(row["name"] or "") if "name" in row.keys() else ""  # noqa: SIM118  (a Row looks among values)


def _pairs(connection: sqlite3.Connection, query: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for row in connection.execute(query):
        found.setdefault(row["run_uuid"], {})[row["key"]] = row["value"] or ""
    return found
