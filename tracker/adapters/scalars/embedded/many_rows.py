"""Statements that take many rows at a step.

Python gives its lock away at every step of a statement and has to win it back, against the thread
that serves requests. So rows go in and come out many to a step: lists of values in, one JSON array out.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["delete_rows", "flat", "insert_rows", "listed", "places", "portions"]

_MOST_ROWS = 256

Rows = Sequence[Sequence[Any]]


def insert_rows(connection: sqlite3.Connection, into: str, rows: Rows) -> None:
    """Appends rows.

    Args:
        connection: to the scalars file.
        into: a table and its columns, a constant of ours.
        rows: values in the order of the columns.
    """
    for part in portions(rows):
        connection.execute(f"INSERT INTO {into} VALUES {places(part)}", flat(part))  # noqa: S608


def delete_rows(connection: sqlite3.Connection, table: str, column: str, keys: Iterable[object]) -> None:
    """Deletes the rows whose column, a constant of ours, is one of the keys."""
    connection.execute(
        f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))",  # noqa: S608
        (listed(keys),),
    )


def listed(keys: Iterable[object]) -> str:
    """Keys as one parameter of ``IN (SELECT value FROM json_each(?))``: SQLite limits their number."""
    return json.dumps(list(keys))


def portions(rows: Rows) -> Iterable[Rows]:
    """Rows in portions of 256, 128, ..., 1, so that there are few different statements to compile."""
    at = 0
    while at < len(rows):
        size = 1 << min(len(rows) - at, _MOST_ROWS).bit_length() - 1
        yield rows[at : at + size]
        at += size


def places(rows: Rows) -> str:
    """``(?, ?), (?, ?)``: what stands after VALUES for so many rows."""
    row = f"({', '.join('?' * len(rows[0]))})"
    return ", ".join([row] * len(rows))


def flat(rows: Rows) -> list[Any]:
    """All values, row after row."""
    return [value for row in rows for value in row]
