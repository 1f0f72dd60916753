"""What was found in a SQLite file is remembered only while it is still there, and only for who asked."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from tracker.adapters.sql.engine import engine_for, normalized
from tracker.adapters.sql.file_version import FileVersion
from tracker.adapters.sql.session import Loaders, Lookup

ADA, BOB = UUID(int=1), UUID(int=2)
TABLE = sa.table("owner", sa.column("id", sa.Integer), sa.column("name", sa.Text))
OWNER: Lookup[str] = Lookup(
    lambda keyed: sa.select(TABLE).where(keyed(TABLE.c.id)), lambda rows: str(rows[0].name)
)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another program that writes the file."""
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT)")
        connection.execute("INSERT INTO owner VALUES (1, 'ada')")
        yield connection


@pytest.fixture
def version(other: sqlite3.Connection, tmp_path: Path) -> Iterator[FileVersion]:
    with closing(FileVersion(tmp_path / "a.db")) as watched:
        yield watched


@pytest.fixture
async def asked(version: FileVersion, tmp_path: Path) -> AsyncIterator[tuple[Loaders, list[str]]]:
    engine = engine_for(normalized(f"sqlite:///{tmp_path}/a.db"))
    statements: list[str] = []
    sa.event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    yield Loaders(engine, version), statements
    await engine.dispose()


async def test_a_row_is_asked_for_once_until_somebody_writes(
    asked: tuple[Loaders, list[str]], other: sqlite3.Connection
) -> None:
    rows, statements = asked
    assert [await rows.find(OWNER, 1, ADA) for _ in range(3)] == ["ada"] * 3
    assert len(statements) == 1
    other.execute("UPDATE owner SET name='bob'")
    assert [await rows.find(OWNER, 1, ADA) for _ in range(3)] == ["bob"] * 3
    assert len(statements) == 2


async def test_what_is_not_there_is_remembered_too_until_it_comes(
    asked: tuple[Loaders, list[str]], other: sqlite3.Connection
) -> None:
    rows, statements = asked
    assert [await rows.find(OWNER, 2, ADA) for _ in range(3)] == [None] * 3
    assert len(statements) == 1
    other.execute("INSERT INTO owner VALUES (2, 'bob')")
    assert await rows.find(OWNER, 2, ADA) == "bob"


async def test_another_user_is_told_in_no_less_time(asked: tuple[Loaders, list[str]]) -> None:
    rows, statements = asked
    for asker in (ADA, BOB, None, None):
        assert await rows.find(OWNER, 1, asker) == "ada"
    assert len(statements) == 4


async def test_a_file_that_could_not_be_asked_for_a_moment_brings_nothing_old_back(
    asked: tuple[Loaders, list[str]], other: sqlite3.Connection, version: FileVersion
) -> None:
    rows, _ = asked
    for name in ("bob", "eve", "kim"):
        owner = other.execute("SELECT name FROM owner").fetchone()[0]
        assert await rows.find(OWNER, 1, ADA) == owner
        other.execute("UPDATE owner SET name=?", (name,))
        assert version._connection is not None
        version._connection.close()  # the next question fails; after that the count begins anew
        assert await rows.find(OWNER, 1, ADA) == name
        assert await rows.find(OWNER, 1, ADA) == name
