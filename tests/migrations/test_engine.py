from __future__ import annotations

import pytest
import sqlalchemy as sa

from tracker.adapters.sql.database import Database
from tracker.adapters.sql.engine import normalized, sqlite_file
from tracker.adapters.sql.failures import translated
from tracker.adapters.sql.tables import SCHEMA_VERSION
from tracker.domain.errors import Unavailable


def test_memory_alone_names_a_database_in_memory() -> None:
    assert normalized(":memory:") == normalized("sqlite://")
    assert sqlite_file(normalized(":memory:")) is None


async def test_the_usual_name_of_the_ssl_mode_is_understood(postgres_url: str) -> None:
    assert normalized("postgresql://host/name?sslmode=require").query == {"ssl": "require"}
    database = Database(f"{postgres_url}?sslmode=disable")
    assert await database.schema_version() == SCHEMA_VERSION
    await database.dispose()


async def test_waiting_for_a_lock_ends_and_means_unavailable(postgres_url: str) -> None:
    database = Database(postgres_url)
    lock = sa.text("LOCK TABLE projects")
    async with database.engine.connect() as holder, database.engine.connect() as other:
        await holder.execute(lock)
        assert await other.scalar(sa.text("SHOW lock_timeout")) == "20s"
        await other.execute(sa.text("SET lock_timeout = 1"))
        with pytest.raises(Unavailable), translated():
            await other.execute(lock)
    await database.dispose()
