"""A new SQLite database is made at once, and is the one that the migrations would have made."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tracker.adapters.sql import migrations, new_schema
from tracker.adapters.sql.database import Database
from tracker.domain.errors import Unavailable

WRITTEN = Path(new_schema.__file__).with_suffix(".sql")


@pytest.fixture
def migrated(tmp_path: Path) -> Path:
    """A database that went through every migration."""
    migrations.upgrade(f"sqlite:///{tmp_path / 'migrated.db'}")
    return tmp_path / "migrated.db"


async def prepare(file: Path) -> None:
    database = Database(f"sqlite:///{file}")
    try:
        await database.prepare(auto_upgrade=True)
    finally:
        await database.dispose()


def test_what_is_written_is_where_the_migrations_lead(migrated: Path) -> None:
    to = "tracker/adapters/sql/new_schema.sql"
    command = f"python -m tracker.adapters.sql.new_schema > new.sql && mv new.sql {to}"
    assert new_schema.script(migrated) == WRITTEN.read_text(encoding="utf-8"), f"run: {command}"


def test_a_new_database_is_like_a_migrated_one(migrated: Path, tmp_path: Path) -> None:
    asyncio.run(prepare(tmp_path / "new.db"))
    assert new_schema.script(tmp_path / "new.db") == new_schema.script(migrated)


def test_from_what_is_behind_migrations_go_on(
    migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations.upgrade(f"sqlite:///{tmp_path / 'old.db'}", "0003")
    monkeypatch.setattr(new_schema, "_FILE", tmp_path / "old.sql")
    (tmp_path / "old.sql").write_text(new_schema.script(tmp_path / "old.db"), encoding="utf-8")
    asyncio.run(prepare(tmp_path / "new.db"))
    migrations.check(f"sqlite:///{tmp_path / 'new.db'}")
    assert new_schema.script(tmp_path / "new.db") == new_schema.script(migrated)


def test_a_database_with_tables_of_others_keeps_them(tmp_path: Path) -> None:
    file = tmp_path / "shared.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript("CREATE TABLE others (x); INSERT INTO others VALUES (7)")
    asyncio.run(prepare(file))
    assert migrations.current(f"sqlite:///{file}") == migrations.head()
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT x FROM others").fetchall() == [(7,)]


@pytest.mark.parametrize("number", range(5))
@pytest.mark.slow  # a race, which takes many tries to be lost
def test_of_many_that_open_a_new_database_one_makes_it(tmp_path: Path, number: int) -> None:
    async def at_once() -> None:
        await asyncio.gather(*(prepare(tmp_path / "new.db") for _ in range(8)))

    asyncio.run(at_once())
    migrations.check(f"sqlite:///{tmp_path / 'new.db'}")


async def test_one_that_cannot_be_made_whole_is_not_made_and_can_be_made_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cut.sql").write_text(
        WRITTEN.read_text(encoding="utf-8") + "CREATE TABLE half (", encoding="utf-8"
    )
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    with monkeypatch.context() as patched:
        patched.setattr(new_schema, "_FILE", tmp_path / "cut.sql")
        with pytest.raises(Unavailable, match="did not answer"):
            await database.prepare(auto_upgrade=True)
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    await database.prepare(auto_upgrade=True)
    await database.dispose()
    assert new_schema.script(tmp_path / "new.db") == WRITTEN.read_text(encoding="utf-8")
