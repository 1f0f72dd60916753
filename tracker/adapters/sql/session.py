"""How repositories run statements: on their own in a reading unit, in one transaction in a writing one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tracker.adapters.sql.coalescing import Coalescer
from tracker.adapters.sql.failures import translated
from tracker.adapters.sql.finishing import finished
from tracker.adapters.sql.tables import experiments, projects, users

__all__ = ["ReadingSession", "RowLoaders", "Session", "WritingSession"]

Row = sa.Row[Any]


class Session(Protocol):
    """What repositories need of a unit of work."""

    async def rows(self, statement: sa.Executable) -> Sequence[Row]:
        """Runs a statement that gives rows."""
        ...

    async def row(self, table: sa.Table, key: UUID) -> Row | None:
        """The row with this primary key, locked against others if the unit writes."""
        ...

    async def run(self, statement: sa.Executable) -> int:
        """Runs a statement that changes rows; how many."""
        ...


class RowLoaders:
    """One coalescer for each table whose rows are read by key on hot paths."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._by_table = {table: self._coalescer(table) for table in (users, projects, experiments)}

    async def row(self, table: sa.Table, key: UUID) -> Row | None:
        """The row, or ``None``."""
        found: Row | None = await self._by_table[table].get(key)
        return found

    def _coalescer(self, table: sa.Table) -> Coalescer:
        statement = sa.select(table).where(table.c.id.in_(sa.bindparam("keys", expanding=True)))

        async def fetch(keys: Sequence[UUID]) -> Mapping[UUID, Row]:
            with translated():
                async with self._engine.connect() as connection:
                    result = await connection.execute(statement, {"keys": keys})
                    return {row.id: row for row in result}

        return Coalescer(fetch)


class ReadingSession:
    """Every statement by itself, on whatever connection is free."""

    def __init__(self, engine: AsyncEngine, loaders: RowLoaders) -> None:
        self._engine = engine
        self._loaders = loaders

    async def rows(self, statement: sa.Executable) -> Sequence[Row]:
        """Runs it on a connection of the pool."""
        with translated():
            async with self._engine.connect() as connection:
                return (await finished(connection.execute(statement))).all()

    async def row(self, table: sa.Table, key: UUID) -> Row | None:
        """Shares a query with others who want rows of this table."""
        return await self._loaders.row(table, key)

    async def run(self, statement: sa.Executable) -> int:
        """Refuses: a reading unit has no transaction that could be committed."""
        raise RuntimeError("this unit of work only reads; open it with writing()")


class WritingSession:
    """All statements in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._locks_rows = connection.dialect.name != "sqlite"  # SQLite has one writer at a time anyway

    async def rows(self, statement: sa.Executable) -> Sequence[Row]:
        """Runs it in the transaction."""
        with translated():
            return (await finished(self._connection.execute(statement))).all()

    async def row(self, table: sa.Table, key: UUID) -> Row | None:
        """Reads and locks it."""
        statement = sa.select(table).where(table.c.id == key)
        rows = await self.rows(statement.with_for_update() if self._locks_rows else statement)
        return rows[0] if rows else None

    async def run(self, statement: sa.Executable) -> int:
        """Runs it in the transaction."""
        with translated():
            return (await finished(self._connection.execute(statement))).rowcount
