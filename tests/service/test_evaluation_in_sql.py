"""What the tables of evaluations cost: statements, and the indexes that answer them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import product
from typing import Any

import pytest
import sqlalchemy as sa

from tests.evaluation_factories import a_job, a_workflow, an_evaluation, an_outcome, running
from tests.factories import NOON, a_project
from tracker.adapters.sql.database import Database
from tracker.adapters.sql.evaluation.packing import packed_outcome
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.ports.unit_of_work import ReadingUnit


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """A database with a project in which 300 jobs and workflows have ended and two go on."""
    database = Database(url)
    await database.prepare(auto_upgrade=True)
    project = a_project()
    evaluation = an_evaluation(project)
    async with database.units.writing() as unit:
        await unit.projects.add(project)
        await unit.evaluations.add(evaluation)
        for number in range(302):
            job, flow = a_job(project), a_workflow(evaluation)
            await unit.jobs.add(job if number < 2 else job.stop("x", at=NOON))
            await unit.workflows.add(flow if number < 2 else flow.stop("x", at=NOON))
        await unit.commit()
    yield database
    await database.dispose()


async def statements(
    database: Database, asked: Callable[[ReadingUnit], Awaitable[Any]]
) -> tuple[Any, list[tuple[str, Any]]]:
    """What a reading unit answers, and the statements that it took."""
    told: list[tuple[str, Any]] = []

    def note(*given: Any) -> None:
        told.append((given[2], given[3]))

    sa.event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    async with database.units.reading() as unit:
        answer = await asked(unit)
    sa.event.remove(database.engine.sync_engine, "before_cursor_execute", note)
    return answer, told


async def plan(database: Database, statement: str, parameters: Any) -> str:
    """How the database goes about a statement when reading whole tables is dear, as with many rows."""
    explain = "EXPLAIN QUERY PLAN" if database.engine.dialect.name == "sqlite" else "EXPLAIN"
    async with database.engine.connect() as connection:
        if explain == "EXPLAIN":
            await connection.exec_driver_sql("SET enable_seqscan = off")
        rows = await connection.exec_driver_sql(f"{explain} {statement}", parameters)
        return "\n".join(str(row) for row in rows)


async def test_a_page_and_the_number_of_all_are_one_statement(database: Database) -> None:
    for skip, (kinds, total) in product((0, 300, 1000), (((), 302), ((JobKind.ANNOTATE,), 0))):
        page, told = await statements(
            database, lambda unit, kinds=kinds, skip=skip: unit.jobs.page(None, kinds=kinds, skip=skip)
        )
        assert (page.total, len(page.items)) == (total, max(0, min(100, total - skip)))
        assert len(told) == 1
        assert "config" not in told[0][0]
        assert "events" not in told[0][0]


async def test_what_goes_on_is_found_by_an_index_of_nothing_else(database: Database) -> None:
    for index, asked in (
        ("ix_jobs_that_go_on", lambda unit: unit.jobs.to_look_after()),
        ("ix_workflows_that_go_on", lambda unit: unit.workflows.to_look_after()),
    ):
        answer, [(statement, parameters)] = await statements(database, asked)
        assert len(answer) == 2
        assert index in await plan(database, statement, parameters)


async def test_a_batch_of_rows_is_one_statement_and_another_counts_them(database: Database) -> None:
    job = await some_job(database)
    told: list[str] = []
    sa.event.listen(
        database.engine.sync_engine, "before_cursor_execute", lambda *given: told.append(given[2])
    )
    async with database.units.writing() as unit:
        assert await unit.job_rows.keep(job.id, [an_outcome(n) for n in range(1, 65)]) == 64
        await unit.commit()
    assert sum("job_rows" in each for each in told) == 1
    assert sum("job_tallies" in each for each in told) == 1


async def test_a_save_writes_one_statement(database: Database) -> None:
    job = await some_job(database)
    _, told = await statements(database, lambda _: saved(database, running(job)))
    assert sum(statement.startswith("UPDATE jobs") for statement, _ in told) == 1
    assert not any(statement.startswith("SELECT") and "jobs" in statement for statement, _ in told)


async def some_job(database: Database) -> Job:
    async with database.units.reading() as unit:
        return await unit.jobs.get((await unit.jobs.to_look_after())[0])


async def saved(database: Database, job: Job) -> None:
    async with database.units.writing() as unit:
        await unit.jobs.save(job)
        await unit.commit()


def test_rows_are_kept_in_few_bytes() -> None:
    short = an_outcome(1, "yes", input_tokens=100, output_tokens=1, seconds=0.25)
    assert len(packed_outcome(short)) < 150
    thinking = an_outcome(1, "yes", reasoning="The article says that the cat sat on the mat. " * 200)
    assert len(packed_outcome(thinking)) < 1000
