"""Rows of a scalars file, as the modules that read and write it share them."""

from __future__ import annotations

import sqlite3
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
    "CHUNK", "HEADS", "RANKS", "chunk_from", "insert_chunks", "remove_chunks", "save_totals", "totals_from",
    "totals_with",
]  # fmt: skip

RANKS = "points, last_value, min_value, max_value"
"""Columns of a series' row that repeat some of its totals, for SQLite to sum up and rank by."""

HEADS = "points, codec, first_step, last_step, last_arrival, checksum, blocks"
CHUNK = f"c.id, {', '.join(f'c.{name}' for name in HEADS.split(', '))}, p.step, p.time, p.value, p.arrival"
"""Columns of ``chunk c JOIN chunk_points p`` that :func:`chunk_from` reads."""

_NEW = ", ".join(f"new.{name}" for name in RANKS.split(", "))


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


def totals_from(packed: bytes | None) -> Totals | None:
    """The totals in a series' row; ``None`` when it has no chunks."""
    return None if packed is None else Totals.unpack(packed)


def totals_with(connection: sqlite3.Connection, new: Mapping[int, Totals]) -> dict[int, Totals]:
    """The numbers of series' chunks with those of later points added, by series."""
    rows = connection.execute(
        "SELECT id, totals FROM series WHERE id IN (SELECT value FROM json_each(?))", (listed(new),)
    )
    return {key: added(totals_from(packed), new[key]) for key, packed in rows.fetchall()}


def save_totals(connection: sqlite3.Connection, totals: Mapping[int, Totals]) -> None:
    """Writes the numbers of series' chunks."""
    rows = [
        (key, total.points, total.last_value, total.min_value, total.max_value, total.pack())
        for key, total in totals.items()
    ]
    for part in portions(rows):
        connection.execute(
            f"WITH new (id, {RANKS}, totals) AS (VALUES {places(part)})"  # noqa: S608 - constants and question marks
            f" UPDATE series SET ({RANKS}, totals) = ({_NEW}, new.totals) FROM new WHERE series.id=new.id",
            flat(part),
        )
