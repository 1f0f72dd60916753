from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.evaluation_factories import a_job, an_outcome
from tests.factories import NOON, a_project
from tracker.domain.artifacts.digest import digest_of
from tracker.domain.errors import NotFound
from tracker.domain.evaluation.jobs.job import Job
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.ids import JobId
from tracker.domain.projects.project import Project
from tracker.ports.unit_of_work import UnitsOfWork

LATER = NOON + timedelta(microseconds=1)


@pytest.fixture
async def job(units: UnitsOfWork, project: Project) -> Job:
    job = a_job(project)
    async with units.writing() as unit:
        await unit.jobs.add(job)
        await unit.commit()
    return job


async def keep(units: UnitsOfWork, job_id: JobId, *outcomes: RowOutcome) -> int:
    async with units.writing() as unit:
        answered = await unit.job_rows.keep(job_id, outcomes)
        await unit.commit()
    return answered


FULL = an_outcome(
    2**31 - 1, "да\n'\"\\ 🎯", reasoning="because " * 5000, input_tokens=2**53 - 1, output_tokens=0,
    reasoning_tokens=7, cost=0.1 + 0.2, seconds=1e-9, tries=0, attempt=2**31 - 1, at=LATER,
)  # fmt: skip


class TestRowRepository:
    """What every adapter of the port of rows keeps."""

    async def test_outcomes_come_back_as_they_were_by_number(self, units: UnitsOfWork, job: Job) -> None:
        failed, empty = an_outcome(2, None), an_outcome(3, "")
        assert await keep(units, job.id, FULL, empty, failed) == 2
        async with units.reading() as unit:
            assert await unit.job_rows.some(job.id) == (failed, empty, FULL)
            assert await unit.job_rows.some(job.id, after=2, limit=1) == (empty,)
            assert await unit.job_rows.some(job.id, after=2**90) == ()
            assert await unit.job_rows.answered(job.id) == {3, 2**31 - 1}

    async def test_the_first_answer_stays_and_before_it_the_last_error(
        self, units: UnitsOfWork, job: Job
    ) -> None:
        last_error = an_outcome(1, None, error="last")
        assert await keep(units, job.id, an_outcome(1, None), an_outcome(2, "a")) == 1
        assert await keep(units, job.id, last_error, an_outcome(2, None)) == 1
        async with units.reading() as unit:
            assert await unit.job_rows.some(job.id) == (last_error, an_outcome(2, "a"))
        assert await keep(units, job.id, an_outcome(1, "b"), an_outcome(2, "c")) == 2
        assert await keep(units, job.id, an_outcome(1, "d")) == 2
        async with units.reading() as unit:
            assert await unit.job_rows.some(job.id) == (an_outcome(1, "b"), an_outcome(2, "a"))

    async def test_one_row_may_stand_in_a_batch_more_than_once(self, units: UnitsOfWork, job: Job) -> None:
        twice = [an_outcome(1, None), an_outcome(1, "a"), an_outcome(1, "b"), an_outcome(1, None)]
        assert await keep(units, job.id, *twice) == 1
        async with units.reading() as unit:
            assert await unit.job_rows.some(job.id) == (an_outcome(1, "a"),)

    async def test_two_who_bring_an_answer_to_one_row_count_once(self, units: UnitsOfWork, job: Job) -> None:
        given = [[an_outcome(n, text) for n in range(1, 40)] for text in ("a", "b")]
        await asyncio.gather(*(keep(units, job.id, *rows) for rows in (given[0], given[1][::-1])))
        assert await keep(units, job.id) == 39
        async with units.reading() as unit:
            assert await unit.job_rows.some(job.id) in (tuple(given[0]), tuple(given[1]))

    async def test_each_job_has_rows_of_its_own_and_must_be_there(
        self, units: UnitsOfWork, project: Project, job: Job
    ) -> None:
        for outcomes in ([], [an_outcome(1)]):
            with pytest.raises(NotFound):
                await keep(units, a_job(project).id, *outcomes)
        other = a_job(project)
        async with units.writing() as unit:
            await unit.jobs.add(other)
            await unit.commit()
        await keep(units, job.id, an_outcome(1))
        async with units.reading() as unit:
            assert await unit.job_rows.answered(other.id) == frozenset()
            assert await unit.job_rows.some(other.id) == ()

    async def test_thousands_are_kept_at_once(self, units: UnitsOfWork, job: Job) -> None:
        many = [an_outcome(n, None if n % 3 else str(n)) for n in range(1, 5001)]
        assert await keep(units, job.id, *many) == 1666
        async with units.reading() as unit:
            assert await unit.job_rows.some(job.id, after=10, limit=4000) == tuple(many[10:4010])
            assert await unit.job_rows.answered(job.id) == frozenset(range(3, 5001, 3))


class TestAnswerRepository:
    """What every adapter of the port of remembered answers keeps."""

    async def test_the_first_answer_of_a_key_stays_in_its_project(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        a, b, c = (digest_of(content) for content in (b"a", b"b", b"c"))
        elsewhere = a_project()
        async with units.writing() as unit:
            await unit.projects.add(elsewhere)
            await unit.answers.keep(project.id, {a: an_outcome(1), b: FULL})
            await unit.answers.keep(project.id, {a: an_outcome(1, "no"), c: an_outcome(9)})
            await unit.answers.keep(elsewhere.id, {a: an_outcome(5)})
            await unit.answers.keep(elsewhere.id, {})
            await unit.commit()
        asked = [a, b, digest_of(b"d")]
        async with units.reading() as unit:
            assert await unit.answers.find(project.id, asked) == {a: an_outcome(1), b: FULL}
            assert await unit.answers.find(elsewhere.id, asked) == {a: an_outcome(5)}
            assert await unit.answers.find(project.id, []) == {}

    async def test_they_need_their_project_and_go_with_it(self, units: UnitsOfWork, project: Project) -> None:
        answers = {digest_of(str(n).encode()): an_outcome(n) for n in range(1, 1200)}
        async with units.writing() as unit:
            with pytest.raises(NotFound):
                await unit.answers.keep(a_project().id, answers)
        async with units.writing() as unit:
            await unit.answers.keep(project.id, answers)
            assert await unit.answers.find(project.id, list(answers)) == answers
            await unit.projects.delete(project.id)
            assert await unit.answers.find(project.id, list(answers)) == {}
