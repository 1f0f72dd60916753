from __future__ import annotations

from datetime import timedelta

import pytest

from tests.evaluation_factories import HANDLE, RULES, a_job, a_job_file, a_pass, an_outcome, running
from tests.factories import NOON, a_project, a_user, new_id
from tracker.domain.errors import AlreadyExists, Conflict, NotFound
from tracker.domain.evaluation.events import MOST_EVENTS, Cause
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.status import JobStatus
from tracker.domain.evaluation.jobs.summary import JobSummary
from tracker.domain.ids import JobId, WorkflowId
from tracker.domain.projects.project import Project
from tracker.ports.unit_of_work import UnitsOfWork

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


async def kept(units: UnitsOfWork, *jobs: Job) -> None:
    async with units.writing() as unit:
        for job in jobs:
            await unit.jobs.add(job)
        await unit.commit()


async def found(units: UnitsOfWork, job: Job) -> Job:
    async with units.reading() as unit:
        return await unit.jobs.get(job.id)


def nested(depth: int) -> dict[str, object]:
    """An object with this many below it."""
    return {"x": nested(depth - 1)} if depth else {}


class TestJobRepository:
    """What every adapter of the jobs port keeps."""

    async def test_a_job_comes_back_as_it_was_at_every_turn(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        job = a_job(
            project, name="a 'job'\n$(x) 🎯", description="\\u0000 \"", workflow_id=WorkflowId(new_id()),
            kind=JobKind.EVALUATOR, max_samples=-(2**31), batch_size=2**31 - 1, config=nested(64),
            timeout=timedelta(days=365) - timedelta(microseconds=1),
        )  # fmt: skip
        await kept(units, job)
        assert await found(units, job) == job
        at = NOON + timedelta(microseconds=1)
        turns = [
            lambda job: job.observed(False, at=at),
            lambda job: job.claim("host:1", at=at, rules=RULES),
            lambda job: job.accept(1, at=at),
            lambda job: job.begin(1, at=at, rows_total=10),
            lambda job: job.heartbeat(1, at=at + SECOND, rules=RULES, rows_done=3),
            lambda job: job.interrupted("it vanished", at=at + HOUR, rules=RULES),
            lambda job: job.claim("host:2", at=at + 2 * HOUR, rules=RULES),
            lambda job: job.kill_asked(at=at),
            lambda job: job.ask_stop("enough", at=at),
            lambda job: job.stop("stopped", at=at + 3 * HOUR),
            lambda job: job.retry(at=at + 4 * HOUR),
            lambda job: job.fail(Cause.OBSTACLE, "x" * 4000, at=at + 5 * HOUR),
        ]
        for number, turn in enumerate(turns, 1):
            async with units.writing() as unit:
                changed = turn(await unit.jobs.get(job.id))
                assert await unit.jobs.save(changed) == changed.evolve(version=number)
                await unit.commit()
            assert await found(units, job) == changed.evolve(version=number)

    async def test_a_config_keeps_types_and_the_longest_log_its_entries(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        config = {"n": 2**63 - 1, "f": 1.0, "t": True, "none": None, "l": [], "d": {"a": [1, 0.1, "ü\n"]}}
        job = a_job(project, config=config)
        for number in range(MOST_EVENTS + 5):
            job = job.noted(Cause.INTERRUPTED, f"{number} 🎯", at=NOON + number * SECOND)
        await kept(units, job)
        again = await found(units, job)
        assert again == job
        assert repr(again.config) == repr(job.config)
        assert len(again.events) == MOST_EVENTS

    async def test_a_save_of_an_older_version_is_refused(self, units: UnitsOfWork, project: Project) -> None:
        job = a_job(project)
        await kept(units, job)
        async with units.writing() as unit:
            await unit.jobs.save(job.observed(False, at=NOON))
            await unit.commit()
        for error, stale in ((Conflict, job), (NotFound, a_job(project))):
            async with units.writing() as unit:
                with pytest.raises(error):
                    await unit.jobs.save(stale.observed(True, at=NOON))
        assert (await found(units, job)).unreachable_since == NOON

    async def test_an_id_is_taken_once_and_a_project_must_be_there(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        job = a_job(project)
        await kept(units, job)
        for error, refused in (
            (AlreadyExists, job),
            (NotFound, a_job(a_project())),
            (NotFound, a_job(project, created_by=new_id())),
        ):
            with pytest.raises(error):
                await kept(units, refused)

    async def test_some_are_those_that_there_are_however_many_are_asked_for(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        jobs = [a_job(project), running(a_job(project))]
        await kept(units, *jobs, a_job(project))
        async with units.reading() as unit:
            asked = [*(job.id for job in jobs), *(JobId(new_id()) for _ in range(1200))]
            assert await unit.jobs.some(asked) == {job.id: job for job in jobs}
            assert await unit.jobs.some([]) == {}

    async def test_a_page_is_the_newest_of_projects_and_kinds_as_a_listing_shows_them(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        elsewhere = a_project()
        async with units.writing() as unit:
            await unit.projects.add(elsewhere)
            await unit.commit()
        kinds = list(JobKind)
        mine = [a_job(project, at=NOON + n // 2 * HOUR, kind=kinds[n % 3]) for n in range(7)]
        mine[3] = running(mine[3], at=NOON + 5 * HOUR)
        mine[4] = running(mine[4]).succeed(at=NOON + 6 * HOUR, why="done 🎯")
        far = a_job(elsewhere, at=NOON - HOUR, created_by=None, workflow_id=WorkflowId(new_id()))
        await kept(units, *mine, far)
        newest = sorted(mine, key=lambda job: (job.created_at, job.id), reverse=True)
        shown = tuple(map(JobSummary.of, newest))
        some = tuple(each for each in shown if each.kind in kinds[:2])
        async with units.reading() as unit:
            assert await unit.jobs.page([project.id]) == (7, shown)
            assert await unit.jobs.page([project.id], skip=2, limit=3) == (7, shown[2:5])
            assert await unit.jobs.page([project.id], kinds=kinds[:2]) == (5, some)
            assert await unit.jobs.page(None, skip=7) == (8, (JobSummary.of(far),))
            assert await unit.jobs.page(None, kinds=[kinds[0]], skip=9) == (4, ())
            assert await unit.jobs.page([elsewhere.id], kinds=[kinds[1]]) == (0, ())
            assert await unit.jobs.page([], skip=1) == (0, ())
        assert {type(each.status) for each in shown} == {JobStatus}

    async def test_those_that_have_not_ended_are_looked_after_oldest_first(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        created, under_way = a_job(project), running(a_job(project, at=NOON - HOUR))
        waits = a_job(project, at=NOON - 2 * HOUR).claim("host:1", at=NOON, rules=RULES).accept(1, at=NOON)
        ends = [
            running(a_job(project)).succeed(at=NOON),
            a_job(project).fail(Cause.OBSTACLE, "x", at=NOON),
            a_job(project).stop("x", at=NOON),
        ]
        await kept(units, created, under_way, waits, *ends)
        async with units.writing() as unit:
            assert await unit.jobs.to_look_after() == (waits.id, under_way.id, created.id)
            await unit.jobs.save(ends[1].retry(at=NOON))
            await unit.jobs.save(under_way.succeed(at=NOON))
            assert set(await unit.jobs.to_look_after()) == {waits.id, created.id, ends[1].id}

    async def test_a_deleted_one_goes_with_all_it_left(self, units: UnitsOfWork, project: Project) -> None:
        job, other = a_job(project), a_job(project)
        await kept(units, job, other)
        async with units.writing() as unit:
            for each in (job, other):
                await unit.job_rows.keep(each.id, [an_outcome(1)])
                await unit.job_files.put(each.id, a_job_file())
                await unit.job_passes.put(a_pass(each.id))
            await unit.commit()
        async with units.writing() as unit:
            await unit.jobs.delete(job.id)
            with pytest.raises(NotFound):
                await unit.jobs.delete(job.id)
            await unit.commit()
        async with units.writing() as unit:
            assert await unit.job_rows.some(job.id) == ()
            assert set(await unit.job_files.find([job.id, other.id], "result")) == {other.id}
            with pytest.raises(NotFound):
                await unit.job_passes.get(job.id, 1)
            await unit.jobs.add(job)
            assert await unit.job_rows.keep(job.id, []) == 0
            assert await unit.job_rows.keep(other.id, []) == 1

    async def test_they_go_with_their_project_and_forget_who_made_them(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        user, gone = a_user(), a_project()
        stays, goes = a_job(project, created_by=user.id), a_job(gone)
        async with units.writing() as unit:
            await unit.users.add(user)
            await unit.projects.add(gone)
            await unit.jobs.add(stays)
            await unit.jobs.add(goes)
            await unit.job_passes.put(a_pass(stays.id, sent_by=user.id))
            await unit.job_passes.put(a_pass(stays.id, 2))
            await unit.commit()
        async with units.writing() as unit:
            await unit.users.delete(user.id)
            await unit.projects.delete(gone.id)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.jobs.some([stays.id, goes.id]) == {stays.id: stays.evolve(created_by=None)}
            assert await unit.job_passes.get(stays.id, 2) == a_pass(stays.id, 2)
            with pytest.raises(NotFound):  # it was in the name of somebody who is not there any more
                await unit.job_passes.get(stays.id, 1)


class TestJobFileRepository:
    """What every adapter of the port of files of jobs keeps."""

    async def test_a_file_comes_back_and_another_of_its_name_replaces_it(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        job, other, without = (a_job(project) for _ in range(3))
        await kept(units, job, other, without)
        first, second = a_job_file(), a_job_file(b"later", at=NOON + HOUR, size=2**53)
        async with units.writing() as unit:
            await unit.job_files.put(job.id, first)
            await unit.job_files.put(job.id, second)
            await unit.job_files.put(job.id, a_job_file(name="dataset"))
            await unit.job_files.put(other.id, first)
            await unit.commit()
        async with units.reading() as unit:
            asked = [job.id, other.id, without.id]
            assert await unit.job_files.find(asked, "result") == {job.id: second, other.id: first}
            assert await unit.job_files.find(asked, "RESULT") == {}

    async def test_its_job_must_be_there(self, units: UnitsOfWork, project: Project) -> None:
        async with units.writing() as unit:
            with pytest.raises(NotFound):
                await unit.job_files.put(a_job(project).id, a_job_file())


class TestPassRepository:
    """What every adapter of the port of passes keeps."""

    async def test_a_pass_is_found_by_job_and_attempt_as_it_is_now(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        job = a_job(project)
        await kept(units, job)
        first, second = a_pass(job.id), a_pass(job.id, 2)
        used = first.admit(HANDLE, "token", at=NOON)
        async with units.writing() as unit:
            for each in (first, second, used):
                await unit.job_passes.put(each)
            await unit.commit()
        async with units.writing() as unit:
            assert await unit.job_passes.get(job.id, 1) == used
            assert await unit.job_passes.get(job.id, 2) == second
        async with units.reading() as unit:
            for job_id, attempt in ((job.id, 3), (job.id, 0), (job.id, 2**80), (JobId(new_id()), 1)):
                with pytest.raises(NotFound):
                    await unit.job_passes.get(job_id, attempt)

    async def test_its_job_and_its_account_must_be_there(self, units: UnitsOfWork, project: Project) -> None:
        job = a_job(project)
        await kept(units, job)
        for lost in (a_pass(a_job(project).id), a_pass(job.id, sent_by=new_id())):
            async with units.writing() as unit:
                with pytest.raises(NotFound):
                    await unit.job_passes.put(lost)
