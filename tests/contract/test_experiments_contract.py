from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import NOON, a_metric, a_project, an_experiment, new_id
from tests.strategies import experiments
from tracker.domain.errors import AlreadyExists, NotFound, StaleVersion
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.ids import ExperimentId
from tracker.domain.projects.project import Project
from tracker.ports.unit_of_work import UnitsOfWork


async def kept(units: UnitsOfWork, *runs: Experiment) -> None:
    async with units.writing() as unit:
        for run in runs:
            await unit.experiments.add(run)
        await unit.commit()


@pytest.fixture
async def project(units: UnitsOfWork) -> Project:
    project = a_project()
    async with units.writing() as unit:
        await unit.projects.add(project)
        await unit.commit()
    return project


class TestExperimentRepository:
    """What every adapter of the experiments port keeps."""

    async def test_an_experiment_comes_with_the_scope_of_its_project(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        experiment = an_experiment(project)
        async with units.writing() as unit:
            await unit.experiments.add(experiment)
            assert await unit.experiments.with_scope(experiment.id) == (experiment, project.scope)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.experiments.with_scope(experiment.id) == (experiment, project.scope)
            with pytest.raises(NotFound):
                await unit.experiments.with_scope(new_id())

    @settings(
        max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )  # fmt: skip
    @given(st.data())
    async def test_an_experiment_comes_back_as_it_was(
        self, units: UnitsOfWork, project: Project, data: st.DataObject
    ) -> None:
        run = data.draw(experiments(ExperimentId(new_id()), project.id, None))
        await kept(units, run)
        async with units.reading() as unit:
            found = await unit.experiments.get(run.id)
        assert found == run
        for tree in ("features", "params"):  # 1, 1.0 and true stay apart
            assert repr(getattr(found, tree)) == repr(getattr(run, tree))

    async def test_what_was_never_added_is_not_found(self, units: UnitsOfWork, project: Project) -> None:
        absent = an_experiment(project)
        async with units.writing() as unit:
            for attempt in (
                unit.experiments.get(absent.id),
                unit.experiments.save(absent),
                unit.experiments.delete(absent.id),
            ):
                with pytest.raises(NotFound):
                    await attempt
            assert await unit.experiments.get_many([absent.id]) == {}
            assert await unit.experiments.ancestors(absent.id) == ()

    async def test_an_experiment_needs_its_project_and_its_parent(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        for orphan in (an_experiment(a_project()), an_experiment(project, parent_id=new_id())):
            with pytest.raises(NotFound):
                await kept(units, orphan)

    async def test_an_id_is_taken_once(self, units: UnitsOfWork, project: Project) -> None:
        run = an_experiment(project)
        await kept(units, run)
        with pytest.raises(AlreadyExists):
            await kept(units, run)

    async def test_the_second_of_two_racing_saves_is_stale(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        run = an_experiment(project)
        await kept(units, run)
        async with units.writing() as unit:
            first = await unit.experiments.save(run.evolve(name="first"))
            await unit.commit()
        async with units.writing() as unit:
            with pytest.raises(StaleVersion):
                await unit.experiments.save(run.evolve(name="second"))
        async with units.reading() as unit:
            assert await unit.experiments.get(run.id) == first == run.evolve(name="first", version=1)

    async def test_lists_are_by_position_then_age(self, units: UnitsOfWork, project: Project) -> None:
        late = an_experiment(project, name="late", position=0, created_at=NOON + timedelta(hours=1))
        early = an_experiment(project, name="early", position=0)
        front = an_experiment(project, name="back", position=2)
        await kept(units, front, late, early)
        async with units.reading() as unit:
            assert [e.name for e in await unit.experiments.list(project.id)] == ["early", "late", "back"]
            assert await unit.experiments.next_position(project.id) == 3
            assert [n for _, n in await unit.experiments.names(project.id)] == ["early", "back", "late"]
            assert [e.id for e in await unit.experiments.named(project.id, "late")] == [late.id]
            assert await unit.experiments.next_position(a_project().id) == 0

    async def test_recent_is_newest_first_and_limited(self, units: UnitsOfWork, project: Project) -> None:
        runs = [an_experiment(project, created_at=NOON + timedelta(minutes=m)) for m in range(5)]
        await kept(units, *runs)
        newest = [run.id for run in reversed(runs)]
        async with units.reading() as unit:
            assert [e.id for e in await unit.experiments.recent([project.id], 3)] == newest[:3]
            assert [e.id for e in await unit.experiments.recent(None, 9)] == newest
            assert await unit.experiments.recent([], 9) == ()

    async def test_ancestors_are_nearest_first(self, units: UnitsOfWork, project: Project) -> None:
        top = an_experiment(project)
        middle = an_experiment(project, parent_id=top.id)
        bottom = an_experiment(project, parent_id=middle.id)
        await kept(units, top, middle, bottom)
        async with units.reading() as unit:
            assert await unit.experiments.ancestors(bottom.id) == (middle.id, top.id)
            assert await unit.experiments.ancestors(top.id) == ()

    async def test_deleting_hands_the_children_to_the_parent(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        top = an_experiment(project)
        middle = an_experiment(project, parent_id=top.id)
        bottom = an_experiment(project, parent_id=middle.id)
        await kept(units, top, middle, bottom)
        async with units.writing() as unit:
            await unit.metrics.put([a_metric(middle)])
            await unit.experiments.delete(middle.id)
            await unit.commit()
        async with units.reading() as unit:
            assert (await unit.experiments.get(bottom.id)).parent_id == top.id
            assert await unit.metrics.of_project(project.id) == ()

    async def test_reordering_makes_an_older_copy_stale(self, units: UnitsOfWork, project: Project) -> None:
        a, b = an_experiment(project, position=0), an_experiment(project, position=1)
        await kept(units, a, b)
        async with units.writing() as unit:
            await unit.experiments.reorder({a.id: 1, b.id: 0, ExperimentId(new_id()): 5})
            await unit.commit()
        async with units.reading() as unit:
            assert [e.id for e in await unit.experiments.list(project.id)] == [b.id, a.id]
        async with units.writing() as unit:
            with pytest.raises(StaleVersion):
                await unit.experiments.save(a.evolve(name="late"))

    async def test_many_at_once_each_get_their_own(self, units: UnitsOfWork, project: Project) -> None:
        runs = [an_experiment(project, name=f"run {n}") for n in range(50)]
        await kept(units, *runs)
        async with units.reading() as unit:
            found = await unit.experiments.get_many([*(run.id for run in runs), ExperimentId(new_id())])
        assert found == {run.id: run for run in runs}
