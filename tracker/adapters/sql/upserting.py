"""Inserts that may meet a row that is there already."""

from __future__ import annotations

from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["Insert", "insert_into"]

Insert = sqlite.Insert | postgresql.Insert


@cache
def insert_into(table: sa.Table, dialect: str) -> Insert:
    """An insert with ``on_conflict_do_update`` and ``on_conflict_do_nothing``.

    There is one of each table: what its ``excluded`` needs is made once, not for each unit of work.
    """
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
