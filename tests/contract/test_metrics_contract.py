from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories import NOON, a_metric, a_project, an_experiment
from tracker.domain.errors import NotFound
from tracker.domain.experiments.experiment import Experiment
from tracker.ports.unit_of_work import UnitsOfWork


@pytest.fixture
async def run(units: UnitsOfWork) -> Experiment:
    project = a_project()
    run = an_experiment(project, position=1)
    async with units.writing() as unit:
        await unit.projects.add(project)
        await unit.experiments.add(run)
        await unit.commit()
    return run


class TestMetricRepository:
    """What every adapter of the metrics port keeps."""

    async def test_the_same_key_again_replaces_the_value_but_not_the_id(
        self, units: UnitsOfWork, run: Experiment
    ) -> None:
        first = a_metric(run, value=0.1)
        later = a_metric(run, value=0.2, created_at=NOON + timedelta(hours=1))
        async with units.writing() as unit:
            assert await unit.metrics.put([first]) == (first,)
            assert await unit.metrics.put([later]) == (later.evolve(id=first.id),)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.metrics.of_experiment(run.id) == (later.evolve(id=first.id),)

    async def test_no_label_is_a_label_of_its_own(self, units: UnitsOfWork, run: Experiment) -> None:
        plain, labelled = a_metric(run), a_metric(run, label="val")
        async with units.writing() as unit:
            await unit.metrics.put([labelled, plain])
            await unit.metrics.put([a_metric(run, value=0.9)])
            await unit.commit()
        async with units.reading() as unit:
            found = await unit.metrics.of_experiment(run.id)
        assert [(m.label, m.value) for m in found] == [(None, 0.9), ("val", 0.5)]

    async def test_of_several_with_one_key_the_last_counts(self, units: UnitsOfWork, run: Experiment) -> None:
        async with units.writing() as unit:
            await unit.metrics.put([a_metric(run, value=value) for value in (1.0, 2.0, 3.0)])
            await unit.commit()
        async with units.reading() as unit:
            assert [m.value for m in await unit.metrics.of_experiment(run.id)] == [3.0]

    async def test_values_are_by_name_label_and_step(self, units: UnitsOfWork, run: Experiment) -> None:
        keys = [("b", None, 0), ("a", "z", 0), ("a", "a", 5), ("a", "a", -5), ("B", None, 2**63 - 1)]
        async with units.writing() as unit:
            await unit.metrics.put([a_metric(run, name=n, label=lb, step=s) for n, lb, s in keys])
            await unit.commit()
        async with units.reading() as unit:
            found = [(m.name, m.label, m.step) for m in await unit.metrics.of_experiment(run.id)]
        assert found == [keys[4], keys[3], keys[2], keys[1], keys[0]]

    async def test_a_project_s_values_go_by_the_order_of_its_experiments(
        self, units: UnitsOfWork, run: Experiment
    ) -> None:
        async with units.writing() as unit:
            project = await unit.projects.get(run.project_id)
            front = an_experiment(project, position=0)
            await unit.experiments.add(front)
            await unit.metrics.put([a_metric(run), a_metric(front), a_metric(front, step=1)])
            await unit.commit()
        async with units.reading() as unit:
            found = await unit.metrics.of_project(run.project_id)
        assert [(m.experiment_id, m.step) for m in found] == [(front.id, 0), (front.id, 1), (run.id, 0)]

    async def test_a_value_needs_its_experiment(self, units: UnitsOfWork, run: Experiment) -> None:
        absent = an_experiment(a_project())
        async with units.writing() as unit:
            with pytest.raises(NotFound):
                await unit.metrics.put([a_metric(run), a_metric(absent)])
