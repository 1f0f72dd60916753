"""SQLite connections for asyncio that visit their thread once a statement.

aiosqlite visits it four times: for the cursor, the statement, its rows and the cursor's end. Each
visit wakes two threads that contend for the interpreter, which costs far more than the statement.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, Self

import aiosqlite

__all__ = ["OneHopConnection"]


class OneHopCursor:
    """Runs statements and keeps their rows, as much of a cursor as SQLAlchemy asks for."""

    def __init__(self, connection: OneHopConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.arraysize = 1
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        """Nothing to open."""
        return self

    async def execute(self, operation: str, parameters: Any = ()) -> None:
        """Runs a statement and fetches what it gives."""
        await self._visit(sqlite3.Cursor.execute, operation, parameters)

    async def executemany(self, operation: str, parameters: Any) -> None:
        """Runs a statement once for each set of parameters."""
        await self._visit(sqlite3.Cursor.executemany, operation, parameters)

    async def fetchall(self) -> list[Any]:
        """The rows not fetched yet."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Nothing to close: it was at the end of the statement."""

    async def _visit(self, way: Callable[..., object], operation: str, parameters: Any) -> None:
        await self._connection._execute(self._run, way, operation, parameters)  # type: ignore[no-untyped-call]

    def _run(self, way: Callable[..., object], operation: str, parameters: Any) -> None:
        cursor = self._connection._conn.cursor()
        try:
            way(cursor, operation, parameters)
            self._rows = cursor.fetchall()
            self.description, self.rowcount = cursor.description, cursor.rowcount
            self.lastrowid = cursor.lastrowid
        finally:
            cursor.close()


class OneHopConnection(aiosqlite.Connection):
    """A connection in a thread of its own, which ends with the program at the latest."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._thread.daemon = True

    def cursor(self) -> OneHopCursor:  # type: ignore[override]
        """A cursor, without a visit to the thread."""
        return OneHopCursor(self)
