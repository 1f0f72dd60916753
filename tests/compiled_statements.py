"""What one database of the tests has compiled serves all of them.

Each test has databases of its own, and SQLAlchemy would compile every statement anew for each engine: that is
a tenth of all that the quick suite does. A program has one engine, so nothing of this is in tracker.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.util import LRUCache

__all__ = ["share_compiled_statements"]

_SHARED: LRUCache[Any, Any] = LRUCache(2000)


def share_compiled_statements() -> None:
    """Has all engines of SQLite in this process use one cache, and be alike to it."""
    SQLiteDialect_aiosqlite.__eq__ = _is_alike  # type: ignore[method-assign]
    SQLiteDialect_aiosqlite.__hash__ = _hash_of_kind  # type: ignore[method-assign]
    sa.event.listen(sa.Engine, "engine_connect", _use_shared)


def _is_alike(one: object, other: object) -> bool:
    return type(one) is type(other)


def _hash_of_kind(one: object) -> int:
    return hash(type(one))


def _use_shared(connection: sa.Connection) -> None:
    if isinstance(connection.dialect, SQLiteDialect_aiosqlite):
        connection.execution_options(compiled_cache=_SHARED)
