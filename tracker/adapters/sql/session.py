"""How repositories run statements: on their own in a reading unit, in one transaction in a writing one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tracker.adapters.sql.coalescing import Coalescer
from tracker.adapters.sql.failures import translated
from tracker.adapters.sql.file_version import FileVersion
from tracker.adapters.sql.finishing import finished
from tracker.adapters.sql.identity_tables import STANDING

__all__ = ["Loaders", "Lookup", "ReadingSession", "Session", "WritingSession"]

Row = sa.Row[Any]
T = TypeVar("T")

_MOST_FOUND = 512


Key = UUID | int
"""A primary key."""

Keyed = Callable[[sa.ColumnElement[Any]], sa.ColumnElement[bool]]
"""Narrows a column to the keys that are looked up."""


@dataclass(frozen=True, eq=False)
class Lookup(Generic[T]):
    """What a key leads to.

    Attributes:
        query: gives the rows of the keys it is narrowed to; their column ``id`` is the key.
        made: makes of a key's rows what is looked for; it is shared, so it must not be changed.
        locks: whether a writing unit keeps others from changing the rows.
        gathers: whether the query also gathers from rows that it does not give, and so does not lock.
    """

    query: Callable[[Keyed], sa.Select[Any]]
    made: Callable[[Sequence[Row]], T]
    locks: bool = True
    gathers: bool = False

    @classmethod
    def of_one(
        cls,
        statement: sa.Select[Any],
        key: sa.Column[Any],
        made: Callable[[Row], T],
        *,
        gathers: bool = False,
    ) -> Lookup[T]:
        """For a key that has one row."""
        return cls(lambda keyed: statement.where(keyed(key)), lambda rows: made(rows[0]), gathers=gathers)


class Session(Protocol):
    """What repositories need of a unit of work.

    Attributes:
        dialect: of the database, ``sqlite`` or ``postgresql``.
        is_writing: whether what is found stays as it is until the unit ends.
        valueless: the experiments that the unit made and that have no final values so far.
    """

    dialect: str
    is_writing: bool
    valueless: set[UUID]

    async def rows(
        self, statement: sa.Executable, rows: Sequence[Mapping[str, Any]] | None = None
    ) -> Sequence[Row]:
        """Runs a statement that gives rows, or gives them for all of `rows` together."""
        ...

    async def find(self, lookup: Lookup[T], key: Key, asker: UUID | None = None) -> T | None:
        """What the key leads to, its rows locked against others if the unit writes.

        Args:
            lookup: what the key is of.
            key: which.
            asker: in whose name; what is found may be remembered for them. ``None`` = for nobody.
        """
        ...

    async def run(self, statement: sa.Executable, rows: Sequence[Mapping[str, Any]] | None = None) -> int:
        """Runs a statement that changes rows, or once for each of `rows`; how many it changed."""
        ...


class Loaders:
    """One coalescer for each lookup, and what each asker found last, for as long as nobody writes.

    Args:
        engine: whose connections they use.
        version: of the file, if the database is one: it tells for almost nothing whether somebody wrote.
    """

    def __init__(self, engine: AsyncEngine, version: FileVersion | None) -> None:
        self._engine = engine
        self._version = version
        self._coalescers: dict[Lookup[Any], Coalescer] = {}
        self._number: int | None = None
        self._found: OrderedDict[tuple[Lookup[Any], Key, UUID], Any] = OrderedDict()

    async def find(self, lookup: Lookup[T], key: Key, asker: UUID | None) -> T | None:
        """What the key leads to."""
        if asker is None or not self._is_unwritten():
            return await self._queried(lookup, key)
        asked = lookup, key, asker
        if asked in self._found:
            known: T | None = self._found[asked]
            return known
        number = self._number
        found = await self._queried(lookup, key)
        if number == self._number:
            # The number is older than what the query saw, so that nothing old is taken for present.
            self._found[asked] = found
            if len(self._found) > _MOST_FOUND:
                self._found.popitem(last=False)
        return found

    def _is_unwritten(self) -> bool:
        """Whether what is remembered, if anything, is as present as the file."""
        number = None if self._version is None else self._version.number()
        if number is None or number != self._number:
            self._found.clear()
            self._number = number
        return number is not None

    async def _queried(self, lookup: Lookup[T], key: Key) -> T | None:
        coalescer = self._coalescers.get(lookup)
        if coalescer is None:
            coalescer = self._coalescers[lookup] = self._coalescer(lookup)
        found: T | None = await coalescer.get(key)
        return found

    def _coalescer(self, lookup: Lookup[T]) -> Coalescer:
        asked: sa.BindParameter[Any] = sa.bindparam("keys", expanding=True)
        statement = lookup.query(lambda column: column.in_(asked))

        async def fetch(keys: Sequence[Any]) -> Mapping[Any, T]:
            with translated():
                async with self._engine.connect() as connection:
                    result = await connection.execute(statement, {"keys": keys})
                    rows: dict[Key, list[Row]] = {}
                    for row in result:
                        rows.setdefault(row.id, []).append(row)
            return {key: lookup.made(found) for key, found in rows.items()}

        return Coalescer(fetch)


class ReadingSession:
    """Every statement by itself, on whatever connection is free."""

    is_writing = False

    def __init__(self, engine: AsyncEngine, loaders: Loaders) -> None:
        self.dialect = engine.dialect.name
        self.valueless: set[UUID] = set()
        self._engine = engine
        self._loaders = loaders

    async def rows(
        self, statement: sa.Executable, rows: Sequence[Mapping[str, Any]] | None = None
    ) -> Sequence[Row]:
        """Runs it on a connection of the pool."""
        with translated():
            async with self._engine.connect() as connection:
                return (await finished(connection.execute(statement, rows))).all()

    async def find(self, lookup: Lookup[T], key: Key, asker: UUID | None = None) -> T | None:
        """Shares a query with others who look the same kind of thing up."""
        return await self._loaders.find(lookup, key, asker)

    async def run(self, statement: sa.Executable, rows: Sequence[Mapping[str, Any]] | None = None) -> int:
        """Refuses: a reading unit has no transaction that could be committed."""
        raise RuntimeError("this unit of work only reads; open it with writing()")


class WritingSession:
    """All statements in one transaction."""

    is_writing = True

    def __init__(self, connection: AsyncConnection) -> None:
        self.dialect = connection.dialect.name
        self.changes_standings = False
        self.valueless: set[UUID] = set()
        self._connection = connection
        self._locks_rows = self.dialect != "sqlite"  # SQLite has one writer at a time anyway

    async def rows(
        self, statement: sa.Executable, rows: Sequence[Mapping[str, Any]] | None = None
    ) -> Sequence[Row]:
        """Runs it in the transaction."""
        with translated():
            return (await finished(self._connection.execute(statement, rows))).all()

    async def find(self, lookup: Lookup[T], key: Key, asker: UUID | None = None) -> T | None:
        """Reads and locks it."""
        statement = lookup.query(lambda column: column == key)
        locks = self._locks_rows and lookup.locks
        rows = await self.rows(statement.with_for_update() if locks else statement)
        if rows and locks and lookup.gathers:
            # Where the lock had to be waited for, the rows are as they are now, but what was gathered
            # is as it was when the statement began.
            rows = await self.rows(statement)
        return lookup.made(rows) if rows else None

    async def run(self, statement: sa.Executable, rows: Sequence[Mapping[str, Any]] | None = None) -> int:
        """Runs it in the transaction."""
        if getattr(statement, "table", None) in STANDING:
            self.changes_standings |= statement.get_execution_options().get("changes_standings", True)
        with translated():
            return (await finished(self._connection.execute(statement, rows))).rowcount
