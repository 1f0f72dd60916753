"""Engines for the two databases, with the settings that keep data safe."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import aiosqlite
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from tracker.adapters.sql.one_hop import OneHopConnection
from tracker.domain.errors import Invalid

__all__ = ["WRITING", "engine_for", "normalized", "sqlite_file"]

WRITING = {"tracker_writing": True}
"""Execution options of a connection whose transactions write."""

_POSTGRES_OPTIONS = frozenset({
    "gsslib", "host", "krbsrvname", "passfile", "port", "prepared_statement_cache_size", "service",
    "servicefile", "ssl", "sslmode", "target_session_attrs",
})  # fmt: skip

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}


def normalized(url: str) -> sa.URL:
    """The URL with the driver that tracker uses.

    Raises:
        Invalid: it is none, or names another database; the text never shows a password.
    """
    try:
        parsed = sa.make_url("sqlite://" if url == ":memory:" else url)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise Invalid.field("DATABASE_URL", "is not a database URL, such as sqlite:///./data.db") from error
    driver = _DRIVERS.get(parsed.drivername)
    if driver is None:
        known = "sqlite:///file, postgresql://user@host/name"
        raise Invalid.field("DATABASE_URL", f"{parsed.drivername} is not supported; use {known}")
    normal = _normal_sqlite(parsed) if driver.startswith("sqlite") else _normal_postgres(parsed)
    return normal.set(drivername=driver)


def _normal_sqlite(url: sa.URL) -> sa.URL:
    if url.host or url.username:
        raise Invalid.field("DATABASE_URL", "a SQLite file stands behind three slashes: sqlite:///./data.db")
    _refuse_options(url, frozenset())
    if url.database in (None, "", ":memory:"):
        return url.set(database=":memory:")
    try:
        # Connections are opened as they are needed, and a script may have gone to another folder by then.
        return url.set(database=str(Path(str(url.database)).expanduser().absolute()))
    except RuntimeError as error:  # ~name of nobody
        raise Invalid.field("DATABASE_URL", "the file is in the home folder of an unknown user") from error


def _normal_postgres(url: sa.URL) -> sa.URL:
    _refuse_options(url, _POSTGRES_OPTIONS)
    if "sslmode" not in url.query:
        return url
    query = {"ssl": url.query["sslmode"], **url.query}  # libpq's name and the driver's
    return url.set(query=query).difference_update_query(["sslmode"])


def _refuse_options(url: sa.URL, known: frozenset[str]) -> None:
    """An option that the driver does not know would fail as late as the first connection."""
    for option in sorted(url.query.keys() - known):
        known_ones = f"; known are {', '.join(sorted(known))}" if known else ""
        raise Invalid.field("DATABASE_URL", f"the option {option!r} is not understood{known_ones}")


def sqlite_file(url: sa.URL) -> Path | None:
    """The file of a SQLite URL; ``None`` for a database in memory or another kind of database."""
    if not url.drivername.startswith("sqlite") or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database))


def engine_for(url: sa.URL) -> AsyncEngine:
    """An engine for a normalized URL; nothing is opened yet.

    Raises:
        Invalid: PostgreSQL is asked for and its driver is not installed.
    """
    if url.drivername.startswith("postgresql"):
        return _postgres(url)
    file = sqlite_file(url)
    target = ":memory:" if file is None else str(file)

    async def connect() -> aiosqlite.Connection:
        # The driver's own transaction control would begin late and deferred; ours is explicit.
        return await OneHopConnection(
            lambda: sqlite3.connect(target, timeout=20, isolation_level=None, check_same_thread=False)
        )

    engine = create_async_engine(
        url,
        async_creator=connect,
        # The connection of a read is in no transaction: giving it back takes no visit to its thread.
        skip_autocommit_rollback=True,
        poolclass=AsyncAdaptedQueuePool,
        # A database in memory is its one connection. For a file, more than a few threads only
        # contend for the interpreter.
        pool_size=1 if file is None else 4,
        max_overflow=0,
    )
    sa.event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    sa.event.listen(engine.sync_engine, "begin", _begin_sqlite)
    sa.event.listen(engine.sync_engine, "rollback", _roll_back_sqlite)
    return engine


def _postgres(url: sa.URL) -> AsyncEngine:
    try:
        return create_async_engine(
            url,
            pool_size=10,
            max_overflow=10,
            pool_pre_ping=True,
            connect_args={"server_settings": {"lock_timeout": "20s"}},
        )
    except ModuleNotFoundError as error:
        raise Invalid.field(
            "DATABASE_URL", "PostgreSQL needs its driver: pip install 'tracker[postgres]'"
        ) from error


def _prepare_sqlite(connection: DBAPIConnection, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in (
        "busy_timeout = 20000",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A single read needs no transaction; a writer takes its place at once, so that it cannot find
    # later that somebody else was faster.
    if connection.get_execution_options().get("tracker_writing"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _roll_back_sqlite(connection: sa.Connection) -> None:
    # SQLAlchemy takes a connection without the driver's transaction control for one in autocommit.
    if connection.get_execution_options().get("tracker_writing"):
        connection.connection.rollback()
