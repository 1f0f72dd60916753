from __future__ import annotations

import asyncio
import fcntl
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.factories import a_metric, a_project, an_experiment
from tracker.adapters.sql import migrations
from tracker.adapters.sql.database import Database
from tracker.domain.errors import SchemaMismatch


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database on disk."""
    if request.param == "postgres":
        found: str = request.getfixturevalue("postgres_url")
        return found
    file = f"sqlite:///{tmp_path / 'data.db'}"
    migrations.upgrade(file)
    return file


def test_the_migrations_make_exactly_the_tables_of_the_code(url: str) -> None:
    migrations.check(url)
    assert migrations.current(url) == migrations.head()


def test_data_with_child_rows_survives_an_upgrade_of_what_is_newest(url: str) -> None:
    asyncio.run(_fill(url))
    migrations.upgrade(url)
    assert asyncio.run(_sizes(url)) == (1, 2, 1)


def test_down_and_up_again_leaves_an_empty_usable_database(url: str) -> None:
    asyncio.run(_fill(url))
    migrations.downgrade(url, "base")
    assert migrations.current(url) is None
    migrations.upgrade(url)
    assert asyncio.run(_sizes(url)) == (0, 0, 0)
    asyncio.run(_fill(url))


@pytest.mark.slow
def test_processes_that_upgrade_one_new_file_at_once_take_turns_and_all_succeed(tmp_path: Path) -> None:
    file = tmp_path / "raced.db"
    with file.with_name("raced.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        racing = [_upgrading(file) for _ in range(2)]
        for process in racing:
            assert process.stdout is not None
            with process.stdout as told:
                told.readline()  # it is about to begin
        with pytest.raises(subprocess.TimeoutExpired):
            racing[0].wait(1)
        assert not file.exists() or not _tables(file)
    assert [process.wait(60) for process in racing] == [0, 0]
    migrations.check(f"sqlite:///{file}")


def _upgrading(file: Path) -> subprocess.Popen[str]:
    program = (
        "import sys; from tracker.adapters.sql import migrations;"
        "print(flush=True); migrations.upgrade('sqlite:///' + sys.argv[1])"
    )
    return subprocess.Popen([sys.executable, "-c", program, file], stdout=subprocess.PIPE, text=True)


def _tables(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]


@pytest.mark.parametrize(("version", "remedy"), [(0, "tracker db upgrade"), (99, "pip install --upgrade")])
def test_an_older_or_newer_database_is_refused_with_what_to_run(url: str, version: int, remedy: str) -> None:
    with pytest.raises(SchemaMismatch, match=remedy):
        asyncio.run(_pretend(url, version))


def test_a_database_without_tables_is_refused_until_it_may_upgrade_itself(tmp_path: Path) -> None:
    async def open_it() -> None:
        database = Database(f"sqlite:///{tmp_path / 'new' / 'data.db'}")
        try:
            with pytest.raises(SchemaMismatch, match="tracker db upgrade"):
                await database.prepare(auto_upgrade=False)
            await database.prepare(auto_upgrade=True)
            await database.check_schema()
        finally:
            await database.dispose()

    asyncio.run(open_it())


async def _fill(url: str) -> None:
    database = Database(url)
    project = a_project()
    parent = an_experiment(project)
    async with database.units.writing() as unit:
        await unit.projects.add(project)
        await unit.experiments.add(parent)
        await unit.experiments.add(an_experiment(project, parent_id=parent.id))
        await unit.metrics.put([a_metric(parent)])
        await unit.commit()
    await database.dispose()


async def _sizes(url: str) -> tuple[int, int, int]:
    database = Database(url)
    async with database.units.reading() as unit:
        projects = await unit.projects.list()
        runs = [run for project in projects for run in await unit.experiments.list(project.id)]
        values = [value for project in projects for value in await unit.metrics.of_project(project.id)]
    await database.dispose()
    return len(projects), len(runs), len(values)


async def _pretend(url: str, version: int) -> None:
    database = Database(url)
    try:
        async with database.engine.begin() as connection:
            await connection.execute(sa.text(f"UPDATE db_metadata SET version = {version}"))
        await database.check_schema()
    finally:
        await database.dispose()
