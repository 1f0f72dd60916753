from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import NOON, a_metric, a_project, an_experiment, new_id
from tests.strategies import projects
from tracker.domain.errors import AlreadyExists, NotFound, StaleVersion
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.identity.actor import LOCAL_USER
from tracker.domain.ids import ProjectId, UserId
from tracker.domain.projects.project import Project, ProjectCounts
from tracker.ports.unit_of_work import UnitsOfWork


async def kept(units: UnitsOfWork, *projects: Project) -> None:
    async with units.writing() as unit:
        for project in projects:
            await unit.projects.add(project)
        await unit.commit()


class TestProjectRepository:
    """What every adapter of the projects and users ports keeps."""

    @settings(
        max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )  # fmt: skip
    @given(st.data())
    async def test_a_project_comes_back_as_it_was(self, units: UnitsOfWork, data: st.DataObject) -> None:
        project = data.draw(projects(ProjectId(new_id()), st.just(LOCAL_USER)))
        await kept(units, project)
        async with units.reading() as unit:
            assert await unit.projects.get(project.id) == project

    async def test_what_was_never_added_is_not_found(self, units: UnitsOfWork) -> None:
        absent = a_project()
        async with units.writing() as unit:
            for attempt in (
                unit.projects.get(absent.id),
                unit.projects.save(absent),
                unit.projects.delete(absent.id),
            ):
                with pytest.raises(NotFound):
                    await attempt

    async def test_an_id_is_taken_once(self, units: UnitsOfWork) -> None:
        project = a_project()
        await kept(units, project)
        with pytest.raises(AlreadyExists):
            await kept(units, project)

    async def test_the_list_is_oldest_first_and_can_be_narrowed_to_a_name(self, units: UnitsOfWork) -> None:
        old, young = a_project(name="a"), a_project(name="b", created_at=NOON + timedelta(days=1))
        oldest = a_project(name="a", created_at=NOON - timedelta(days=1))
        await kept(units, young, old, oldest)
        async with units.reading() as unit:
            assert [p.id for p in await unit.projects.list()] == [oldest.id, old.id, young.id]
            assert [p.id for p in await unit.projects.list(name="a")] == [oldest.id, old.id]
            assert await unit.projects.list(name="A") == ()

    async def test_a_save_counts_the_version_up_and_refuses_the_older_one(self, units: UnitsOfWork) -> None:
        project = a_project()
        await kept(units, project)
        async with units.writing() as unit:
            saved = await unit.projects.save(project.evolve(name="renamed"))
            await unit.commit()
        assert saved == project.evolve(name="renamed", version=1)
        async with units.writing() as unit:
            with pytest.raises(StaleVersion):
                await unit.projects.save(project.evolve(name="late"))
        async with units.reading() as unit:
            assert await unit.projects.get(project.id) == saved

    async def test_counts_are_by_status(self, units: UnitsOfWork) -> None:
        full, empty = a_project(), a_project()
        await kept(units, full, empty)
        async with units.writing() as unit:
            for status in (*Status, Status.FAILED):
                await unit.experiments.add(an_experiment(full, status=status))
            await unit.commit()
        async with units.reading() as unit:
            counts = await unit.projects.counts([full.id, empty.id])
        assert counts[full.id] == ProjectCounts(experiments=5, running=1, completed=1, failed=2)
        assert counts.get(empty.id, ProjectCounts()) == ProjectCounts()

    async def test_deleting_takes_experiments_and_metrics_along(self, units: UnitsOfWork) -> None:
        project = a_project()
        await kept(units, project)
        run = an_experiment(project)
        async with units.writing() as unit:
            await unit.experiments.add(run)
            await unit.metrics.put([a_metric(run)])
            await unit.commit()
        async with units.writing() as unit:
            await unit.projects.delete(project.id)
            await unit.commit()
        async with units.reading() as unit:
            with pytest.raises(NotFound):
                await unit.experiments.get(run.id)
            assert await unit.metrics.of_experiment(run.id) == ()

    async def test_the_local_user_is_always_there(self, units: UnitsOfWork) -> None:
        absent = UserId(new_id())
        async with units.reading() as unit:
            user = await unit.users.get(LOCAL_USER)
            assert await unit.users.get_many([LOCAL_USER, absent]) == {LOCAL_USER: user}
            with pytest.raises(NotFound):
                await unit.users.get(absent)
