"""Rows of a scalars file, as the modules that read and write it share them."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from tracker.adapters.scalars.chunks import Chunk, Totals, added
from tracker.adapters.scalars.embedded.many_rows import (
    delete_rows,
    flat,
    insert_rows,
    listed,
    places,
    portions,
)

__all__ = [
    "CHUNK", "HEADS", "NUMBERS", "chunk_from", "insert_chunks", "remove_chunks", "save_totals",
    "totals_from", "totals_with",
]  # fmt: skip

NUMBERS = (
    "points, non_finite, first_step, last_step, last_time, last_value, modified, min_value, max_value,"
    " iif(last_value IS NULL OR last_value=0, last_bits, NULL)"
)
"""Columns of a series' row that :func:`totals_from` reads; the bits only where the value has lost them."""

HEADS = "points, codec, first_step, last_step, last_arrival, checksum, blocks"
CHUNK = f"c.id, {', '.join(f'c.{name}' for name in HEADS.split(', '))}, p.step, p.time, p.value, p.arrival"
"""Columns of ``chunk c JOIN chunk_points p`` that :func:`chunk_from` reads."""

_TOTALS = ", ".join((*Totals._fields, "last_bits"))
_NEW_TOTALS = ", ".join(f"new.{name}" for name in (*Totals._fields, "last_bits"))
_FLOAT = struct.Struct("<d")


def chunk_from(row: Sequence[Any]) -> tuple[int, Chunk]:
    """The key of a chunk, and the chunk."""
    return row[0], Chunk._make(row[1:])


def insert_chunks(connection: sqlite3.Connection, chunks: Iterable[tuple[int, Chunk]]) -> None:
    """Appends chunks to the series named by their keys."""
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM chunk").fetchone()
    keyed = [(key, series, chunk) for key, (series, chunk) in enumerate(chunks, last + 1)]
    heads = [(key, series, *chunk[:7]) for key, series, chunk in keyed]
    insert_rows(connection, f"chunk (id, series, {HEADS})", heads)
    insert_rows(connection, "chunk_points", [(key, *chunk[7:]) for key, _, chunk in keyed])


def remove_chunks(connection: sqlite3.Connection, keys: Collection[int]) -> None:
    """Deletes chunks with their points."""
    if keys:
        delete_rows(connection, "chunk", "id", keys)
        delete_rows(connection, "chunk_points", "chunk", keys)


def totals_from(row: Sequence[Any]) -> Totals | None:
    """The totals in the columns :data:`NUMBERS`; ``None`` when the series has no chunks."""
    if not row[0]:
        return None
    *numbers, bits = row
    if bits is not None:
        (numbers[5],) = _FLOAT.unpack(bits)
    return Totals._make(numbers)


def totals_with(connection: sqlite3.Connection, new: Mapping[int, Totals]) -> dict[int, Totals]:
    """The numbers of series' chunks with those of later points added, by series."""
    rows = connection.execute(
        f"SELECT id, {NUMBERS} FROM series WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608
        (listed(new),),
    )
    return {key: added(totals_from(row), new[key]) for key, *row in rows.fetchall()}


def save_totals(connection: sqlite3.Connection, totals: Mapping[int, Totals]) -> None:
    """Writes the numbers of series' chunks."""
    rows = [(key, *total, _FLOAT.pack(total.last_value)) for key, total in totals.items()]
    for part in portions(rows):
        connection.execute(
            f"WITH new (id, {_TOTALS}) AS (VALUES {places(part)})"  # noqa: S608 - constants and question marks
            f" UPDATE series SET ({_TOTALS}) = ({_NEW_TOTALS}) FROM new WHERE series.id=new.id",
            flat(part),
        )
