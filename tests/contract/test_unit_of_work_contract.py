from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.factories import NOON, a_project, a_purge, new_id
from tracker.domain.errors import NotFound
from tracker.ports.unit_of_work import UnitsOfWork


class Broken(Exception):
    """Raised inside a unit on purpose."""


class TestUnitsOfWork:
    """What every adapter of the unit of work keeps."""

    async def test_leaving_without_a_commit_discards_everything(self, units: UnitsOfWork) -> None:
        project = a_project()
        async with units.writing() as unit:
            await unit.projects.add(project)
            assert await unit.projects.get(project.id) == project  # its own changes show to it
        async with units.reading() as unit:
            assert await unit.projects.list() == ()

    async def test_an_exception_discards_everything_and_goes_on(self, units: UnitsOfWork) -> None:
        with pytest.raises(Broken):
            async with units.writing() as unit:
                await unit.projects.add(a_project())
                raise Broken
        async with units.reading() as unit:
            assert await unit.projects.list() == ()

    async def test_uncommitted_changes_show_to_nobody(self, units: UnitsOfWork) -> None:
        project = a_project()
        async with units.writing() as unit:
            await unit.projects.add(project)
            await unit.commit()
        async with units.writing() as unit:
            await unit.projects.delete(project.id)
        async with units.reading() as unit:
            assert await unit.projects.get(project.id) == project

    async def test_of_two_units_that_check_and_then_add_under_one_lock_only_one_adds(
        self, units: UnitsOfWork
    ) -> None:
        async def ensure() -> None:
            async with units.writing() as unit:
                await unit.lock("project:digits")
                if not await unit.projects.list(name="digits"):
                    await unit.projects.add(a_project())
                    await unit.commit()

        await asyncio.gather(*(ensure() for _ in range(8)))
        async with units.reading() as unit:
            assert len(await unit.projects.list()) == 1

    async def test_concurrent_edits_of_one_project_all_count(self, units: UnitsOfWork) -> None:
        project = a_project(description="")
        async with units.writing() as unit:
            await unit.projects.add(project)
            await unit.commit()

        async def edit() -> None:
            async with units.writing() as unit:
                current = await unit.projects.get(project.id)
                await unit.projects.save(current.evolve(description=current.description + "x"))
                await unit.commit()

        await asyncio.gather(*(edit() for _ in range(10)))
        async with units.reading() as unit:
            assert (await unit.projects.get(project.id)).description == "x" * 10

    async def test_concurrent_reads_each_get_their_own_answer(self, units: UnitsOfWork) -> None:
        projects = [a_project(name=f"p{n}") for n in range(10)]
        async with units.writing() as unit:
            for project in projects:
                await unit.projects.add(project)
            await unit.commit()
        absent = a_project()

        async def look(project_id: object) -> object:
            async with units.reading() as unit:
                return await unit.projects.get(project_id)  # type: ignore[arg-type]

        wanted = [*projects, absent] * 5
        answers = await asyncio.gather(*(look(p.id) for p in wanted), return_exceptions=True)
        for project, answer in zip(wanted, answers, strict=True):
            if project is absent:
                assert isinstance(answer, NotFound)
            else:
                assert answer == project

    async def test_a_read_sees_what_was_committed_before_it(self, units: UnitsOfWork) -> None:
        project = a_project()
        async with units.writing() as unit:
            await unit.projects.add(project)
            await unit.commit()
        for n in range(20):
            async with units.writing() as unit:
                saved = await unit.projects.save(project.evolve(name=f"p{n}"))
                await unit.commit()
            async with units.reading() as unit:
                assert await unit.projects.get(project.id) == saved
            project = saved

    async def test_orders_to_purge_wait_oldest_first_until_removed(self, units: UnitsOfWork) -> None:
        young, old = a_purge(requested_at=NOON + timedelta(hours=1)), a_purge(experiment_id=new_id())
        async with units.writing() as unit:
            await unit.purges.add(young)
            await unit.purges.add(old)
            await unit.commit()
        async with units.writing() as unit:
            assert await unit.purges.pending(9) == (old, young)
            assert await unit.purges.pending(1) == (old,)
            await unit.purges.remove(old.id)
            await unit.purges.remove(old.id)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.purges.pending(9) == (young,)

    @pytest.mark.parametrize("turns", range(0, 24, 2))
    async def test_a_unit_cancelled_at_any_moment_leaves_the_database_whole(
        self, units: UnitsOfWork, turns: int
    ) -> None:
        kept = a_project()
        async with units.writing() as unit:
            await unit.projects.add(kept)
            await unit.commit()

        async def write() -> None:
            async with units.writing() as unit:
                for _ in range(5):
                    await unit.projects.add(a_project())
                await unit.projects.list()

        for work in (write(), _look(units)):
            task = asyncio.create_task(work)
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        async with units.writing() as unit:
            assert await unit.projects.list() == (kept,)


async def _look(units: UnitsOfWork) -> None:
    async with units.reading() as unit:
        await unit.projects.list()
