"""Rows of a scalars file, as the modules that read and write it share them."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tracker.adapters.scalars.chunks import Chunk, Totals, added

__all__ = ["CHUNK", "HEADS", "NUMBERS", "add_totals", "chunk_from", "insert_chunks", "listed", "totals_from"]

NUMBERS = (
    "points, non_finite, first_step, last_step, last_time, last_value, modified, min_value, max_value,"
    " iif(last_value IS NULL OR last_value=0, last_bits, NULL)"
)
"""Columns of a series' row that :func:`totals_from` reads; the bits only where the value has lost them."""

HEADS = "points, codec, first_step, last_step, last_arrival, checksum, blocks"
CHUNK = f"c.id, {', '.join(f'c.{name}' for name in HEADS.split(', '))}, p.step, p.time, p.value, p.arrival"
"""Columns of ``chunk c JOIN chunk_points p`` that :func:`chunk_from` reads."""

_FLOAT = struct.Struct("<d")


def listed(keys: Iterable[object]) -> str:
    """Keys as one parameter of ``IN (SELECT value FROM json_each(?))``: SQLite limits their number."""
    return json.dumps(list(keys))


def chunk_from(row: Sequence[Any]) -> tuple[int, Chunk]:
    """The key of a chunk, and the chunk."""
    return row[0], Chunk._make(row[1:])


def insert_chunks(connection: sqlite3.Connection, chunks: Iterable[tuple[int, Chunk]]) -> None:
    """Appends chunks to the series named by their keys."""
    for series, chunk in chunks:
        head, columns = chunk[:7], chunk[7:]
        key = connection.execute(
            f"INSERT INTO chunk (series, {HEADS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constants
            (series, *head),
        ).lastrowid
        connection.execute("INSERT INTO chunk_points VALUES (?, ?, ?, ?, ?)", (key, *columns))


def totals_from(row: Sequence[Any]) -> Totals | None:
    """The totals in the columns :data:`NUMBERS`; ``None`` when the series has no chunks."""
    if not row[0]:
        return None
    *numbers, bits = row
    if bits is not None:
        (numbers[5],) = _FLOAT.unpack(bits)
    return Totals._make(numbers)


def add_totals(connection: sqlite3.Connection, new: Mapping[int, Totals]) -> None:
    """Adds numbers of later points to those of series' chunks."""
    rows = connection.execute(
        f"SELECT id, {NUMBERS} FROM series WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608
        (listed(new),),
    )
    sums = [(key, added(totals_from(row), new[key])) for key, *row in rows]
    connection.executemany(
        "UPDATE series SET points=?, non_finite=?, first_step=?, last_step=?, last_time=?, last_value=?,"
        " modified=?, min_value=?, max_value=?, last_bits=? WHERE id=?",
        [(*total, _FLOAT.pack(total.last_value), key) for key, total in sums],
    )
