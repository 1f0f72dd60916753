"""Folds the small pieces of an experiment's tail into chunks."""

from __future__ import annotations

import sqlite3

import numpy as np

from tracker.adapters.scalars.embedded.columns import Columns, Piece, best_codec, compress, decompress, join

__all__ = ["CHUNK_POINTS", "chunk_columns", "fold", "tail_of", "write_chunks"]

CHUNK_POINTS = 8192
_MERGED_AT_ONCE = 16


def tail_of(connection: sqlite3.Connection, experiment: int) -> dict[int, Columns]:
    """The points of an experiment that are in no chunk yet, by series, in arrival order."""
    rows = connection.execute("SELECT points FROM tail WHERE experiment=? ORDER BY id", (experiment,))
    pieces = [Piece.unpack(data) for (data,) in rows]
    if not pieces:
        return {}
    series = np.concatenate([piece.series for piece in pieces])
    points = join([piece.columns for piece in pieces])
    order = np.argsort(series, kind="stable")
    ids, starts = np.unique(series[order], return_index=True)
    rows_of = np.split(order, starts[1:])
    return {int(one): points.take(rows) for one, rows in zip(ids, rows_of, strict=True)}


def fold(connection: sqlite3.Connection, experiment: int) -> None:
    """Turns the whole tail of an experiment into chunks."""
    for series, columns in tail_of(connection, experiment).items():
        write_chunks(connection, series, columns)
    connection.execute("DELETE FROM tail WHERE experiment=?", (experiment,))
    connection.execute("UPDATE series SET in_tail=0 WHERE experiment=? AND in_tail>0", (experiment,))


def write_chunks(connection: sqlite3.Connection, series: int, columns: Columns) -> None:
    """Appends points to a series' chunks.

    The latest chunks are written anew together with these points as long as they are not more
    than twice as many, so that a point is rewritten a logarithmic number of times.
    """
    before: list[Columns] = []
    latest = connection.execute(
        "SELECT id, points, codec, step, time, value FROM chunk WHERE series=? ORDER BY id DESC LIMIT ?",
        (series, _MERGED_AT_ONCE),
    )
    size, merged = len(columns.step), []
    for chunk, points, *packed in latest:
        if points >= 2 * size or size + points > CHUNK_POINTS:
            break
        before.insert(0, chunk_columns(*packed))
        merged.append((chunk,))
        size += points
    connection.executemany("DELETE FROM chunk WHERE id=?", merged)
    whole = join([*before, columns]).by_step()
    for start in range(0, size, CHUNK_POINTS):
        _insert(connection, series, whole.take(slice(start, start + CHUNK_POINTS)))


def chunk_columns(codec: int, step: bytes, time: bytes, value: bytes) -> Columns:
    """The points of a row of the table of chunks."""
    return Columns(
        decompress(step, np.int64, codec),
        decompress(time, np.int64, codec),
        decompress(value, np.float64, codec),
    )


def _insert(connection: sqlite3.Connection, series: int, columns: Columns) -> None:
    codec = best_codec()
    packed = [compress(column, codec) for column in columns]
    connection.execute(
        "INSERT INTO chunk (series, points, codec, first_step, last_step, step, time, value)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (series, len(columns.step), codec, int(columns.step[0]), int(columns.step[-1]), *packed),
    )
