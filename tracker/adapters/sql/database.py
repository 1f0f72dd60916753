"""One database: its engine, its units of work, its schema."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from tracker.adapters.sql import new_schema
from tracker.adapters.sql.engine import engine_for, normalized, sqlite_file
from tracker.adapters.sql.failures import translated
from tracker.adapters.sql.file_lock import FileLock
from tracker.adapters.sql.file_version import FileVersion
from tracker.adapters.sql.finishing import finished
from tracker.adapters.sql.tables import SCHEMA_VERSION, db_metadata
from tracker.adapters.sql.unit_of_work import SqlUnitsOfWork
from tracker.domain.errors import SchemaMismatch, Unavailable

__all__ = ["Database"]

T = TypeVar("T")


class Database:
    """Opens on first use.

    Args:
        url: any usual form of a SQLite or PostgreSQL URL.

    Raises:
        Invalid: the URL cannot be used.
    """

    def __init__(self, url: str) -> None:
        self.url = normalized(url)
        self.file = sqlite_file(self.url)
        self.engine = engine_for(self.url)
        is_sqlite = self.engine.dialect.name == "sqlite"
        self._file_lock = FileLock(self.file) if is_sqlite else None
        self._file_version = None if self.file is None else FileVersion(self.file)
        self.units = SqlUnitsOfWork(self.engine, self._file_lock, self._file_version)

    def __repr__(self) -> str:
        """Without the password."""
        return f"Database({self.url.render_as_string(hide_password=True)!r})"

    async def schema_version(self) -> int | None:
        """What the database says of its schema; ``None`` when it has none.

        Raises:
            Unavailable: it does not answer.
        """
        with translated():
            async with self.engine.connect() as connection:
                return await finished(connection.run_sync(_schema_version))

    async def check_schema(self) -> None:
        """Lets pass a database that fits this version of tracker.

        Raises:
            SchemaMismatch: it is older, newer or empty; says what to run.
            Unavailable: it does not answer.
        """
        version = await self.schema_version()
        if version == SCHEMA_VERSION:
            return
        if version is not None and version > SCHEMA_VERSION:
            raise SchemaMismatch(
                f"the database has schema {version}, newer than this tracker's {SCHEMA_VERSION}; "
                "run: pip install --upgrade tracker"
            )
        found = "no schema yet" if version is None else f"schema {version}"
        raise SchemaMismatch(
            f"the database has {found}, this tracker needs {SCHEMA_VERSION}; run: tracker db upgrade"
        )

    async def prepare(self, *, auto_upgrade: bool) -> None:
        """Makes sure of the schema, creating folder and file of a SQLite database where needed.

        Args:
            auto_upgrade: upgrade an older or empty database rather than refuse it.

        Raises:
            SchemaMismatch: the schema does not fit and may not, or cannot, be upgraded.
            Unavailable: the database does not answer, or its folder cannot be made.
        """
        if self.file is not None:
            try:
                self.file.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise Unavailable(f"cannot create the folder of {self.file}: {error.strerror}") from error
        # The first connection has a new file keep a write-ahead log, which SQLite refuses, rather than waits,
        # while another connection does the same.
        version = await self._in_turn(_schema_version)
        if auto_upgrade and version is None and self._file_lock is not None:
            await self._in_turn(new_schema.make)
            version = await self.schema_version()
        if auto_upgrade and (version is None or version < SCHEMA_VERSION):
            await self.upgrade()
        await self.check_schema()

    async def upgrade(self, revision: str = "head") -> None:
        """Runs the migrations, on this very engine (a database in memory has no other way in).

        Raises:
            Unavailable: the database does not answer.
        """
        from tracker.adapters.sql import migrations  # noqa: PLC0415 - alembic is slow to import

        await self._in_turn(lambda connection: migrations.upgrade_connection(connection, revision))

    async def _in_turn(self, work: Callable[[sa.Connection], T]) -> T:
        """What `work` on the schema gives, while no other process does any."""
        lock = self._file_lock or FileLock(None)
        with translated():
            async with lock.held(), self.engine.connect() as connection:
                return await finished(connection.run_sync(work))

    async def dispose(self) -> None:
        """Closes all connections; the last one of a SQLite file moves its log into the file."""
        if self._file_version is not None:
            self._file_version.close()
        if self._file_lock is None:
            await self.engine.dispose()
            return
        try:
            async with asyncio.timeout(30), self._file_lock.held():
                await self.engine.dispose()
        except TimeoutError as error:
            raise Unavailable("the database could not be closed in 30 s") from error


def _schema_version(connection: sa.Connection) -> int | None:
    if not sa.inspect(connection).has_table("db_metadata"):
        return None
    return connection.scalar(sa.select(db_metadata.c.version).where(db_metadata.c.id == 1))
