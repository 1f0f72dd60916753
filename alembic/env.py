"""Runs the migrations: over a connection handed in, or over DATABASE_URL."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic import context
from tracker.adapters.sql.engine import WRITING, engine_for, normalized, sqlite_file
from tracker.adapters.sql.evaluation_tables import metadata
from tracker.adapters.sql.file_lock import FileLock
from tracker.adapters.sql.types import CompactJson, DigestBytes, UtcDateTime
from tracker.settings import Settings

# Any fixed number: two upgrades of one PostgreSQL database follow one another.
_UPGRADE_LOCK = 7_263_548_112


def render_item(kind: str, item: Any, autogen: Any) -> str | bool:
    """Writes our own type into a new migration as the plain one underneath."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, DigestBytes):
        return "sa.LargeBinary()"
    if kind == "type" and isinstance(item, CompactJson):
        return "sa.Text()"
    return False


def migrate(connection: sa.Connection) -> None:
    """Runs what was asked for, in one transaction."""
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        # Batch mode rebuilds tables; with foreign keys on, dropping the old one would silently
        # delete child rows. The pragma is a no-op inside a transaction, so it stands outside.
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.commit()
    connection.execution_options(**WRITING)
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=is_sqlite,
        render_item=render_item,
        compare_type=True,
        transactional_ddl=True,
        on_version_apply=None,
    )
    try:
        with context.begin_transaction():
            if not is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
            context.run_migrations()
            if is_sqlite:
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
                if broken:
                    raise RuntimeError(f"the migration would leave rows without their parent: {broken[:5]}")
        tell = context.config.attributes.get("on_revision")
        if tell is not None:
            tell(context.get_context().get_current_revision())
        connection.commit()
    finally:
        if is_sqlite:
            connection.rollback()
            connection.execution_options(tracker_writing=False)
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            connection.commit()


async def migrate_url(url: str) -> None:
    """Opens the database, migrates, closes it."""
    engine = engine_for(normalized(url))
    is_sqlite = engine.dialect.name == "sqlite"
    # Without the lock, two upgrades of one file would both find it old.
    async with FileLock(sqlite_file(engine.url)).held() if is_sqlite else nullcontext():
        try:
            async with engine.connect() as connection:
                await _in_sync(connection)
        finally:
            await engine.dispose()


async def _in_sync(connection: AsyncConnection) -> None:
    await connection.run_sync(migrate)


def configured_url() -> str:
    """What the caller handed in, else the setting."""
    url = context.config.attributes.get("url")
    if url is None:
        url = Settings.load().database_url
    return str(url)


if context.is_offline_mode():
    raise SystemExit("offline mode (--sql) is not supported: migrations look at the database")

given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    asyncio.run(migrate_url(configured_url()))
