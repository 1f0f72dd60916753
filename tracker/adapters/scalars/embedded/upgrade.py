"""Brings scalars files of older versions to the present one, in one transaction each."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable

import numpy as np

from tracker.adapters.scalars.chunks import (
    Arrivals,
    Columns,
    Piece,
    Totals,
    chunked,
    decoded,
    join,
    totals_of,
)
from tracker.adapters.scalars.embedded.rows import insert_chunks, save_totals, totals_with

__all__ = ["from_1", "from_2"]

_KEPT = ("experiment", "batch", "series", "chunk", "tail")
_ROWS_AT_ONCE = 4096


def from_1(connection: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Version 1 had neither blocks, checksums nor arrivals, and numbers of series held the tail's too.

    Every series is written anew, its tail too; all that is there counts as one arrival.
    """
    for index in ("series_by_name", "chunk_by_series", "tail_by_experiment"):
        connection.execute(f"DROP INDEX {index}")
    for table in _KEPT:
        connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    for statement in tables:
        if " tag" not in statement.partition("(")[0]:  # tags are as they were
            connection.execute(statement)
    connection.execute(
        "INSERT INTO experiment (id, uuid, deleted, arrivals) SELECT id, uuid, deleted, 1 FROM old_experiment"
    )
    connection.execute("INSERT INTO batch (uuid, experiment) SELECT uuid, experiment FROM old_batch")
    connection.execute(
        "INSERT INTO series (id, experiment, name) SELECT id, experiment, name FROM old_series"
    )
    for (experiment,) in connection.execute("SELECT id FROM old_experiment").fetchall():
        _copy_points(connection, experiment)
    for table in _KEPT:
        connection.execute(f"DROP TABLE old_{table}")


def from_2(connection: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Version 2 had a column for each number of a series, and the bits of its last value beside them."""
    connection.execute("DROP INDEX series_by_name")
    connection.execute("ALTER TABLE series RENAME TO old_series")
    for statement in tables:
        if " series " in statement.partition("(")[0]:  # CREATE TABLE series, CREATE INDEX ... ON series
            connection.execute(statement)
    connection.execute(
        "INSERT INTO series (id, experiment, name) SELECT id, experiment, name FROM old_series"
    )
    rows = connection.execute(
        f"SELECT id, last_bits, {', '.join(Totals._fields)} FROM old_series WHERE points>0"  # noqa: S608
    )
    while some := rows.fetchmany(_ROWS_AT_ONCE):
        save_totals(connection, {key: _with_bits(Totals._make(row), bits) for key, bits, *row in some})
    connection.execute("DROP TABLE old_series")


def _with_bits(totals: Totals, bits: bytes) -> Totals:
    return totals._replace(last_value=struct.unpack("<d", bits)[0])


def _copy_points(connection: sqlite3.Connection, experiment: int) -> None:
    rows = connection.execute("SELECT points FROM old_tail WHERE experiment=? ORDER BY id", (experiment,))
    tail = [Piece.unpack(data) for (data,) in rows]
    series = connection.execute("SELECT id FROM series WHERE experiment=?", (experiment,)).fetchall()
    for (key,) in series:
        chunks = connection.execute(
            "SELECT codec, step, time, value FROM old_chunk WHERE series=? ORDER BY id", (key,)
        )
        parts: list[Columns] = [decoded(*row) for row in chunks]
        parts += [piece.columns.take(piece.series == key) for piece in tail]
        points = join(parts)
        if len(points.value):
            arrivals = Arrivals(points, np.ones(len(points.value), np.int64))
            insert_chunks(connection, [(key, chunk) for chunk in chunked(arrivals)])
            save_totals(connection, totals_with(connection, {key: totals_of(points)}))
