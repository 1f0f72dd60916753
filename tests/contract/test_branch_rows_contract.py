from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.factories import NOON, a_metric, a_project, an_experiment, new_id
from tracker.domain.errors import AlreadyExists, NotFound
from tracker.domain.experiments.branch import AbandonedValue, Branch
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.identity.actor import LOCAL_USER
from tracker.domain.metrics.summary import SeriesMark
from tracker.ports.unit_of_work import UnitsOfWork


def a_branch(run: Experiment, **fields: Any) -> Branch:
    defaults = {
        "id": new_id(),
        "experiment_id": run.id,
        "project_id": run.project_id,
        "from_step": 5,
        "made_at": NOON,
        "made_by": LOCAL_USER,
    }
    return Branch(**{**defaults, **fields})


VALUES = (
    AbandonedValue(name="acc", step=7, value=0.5, created_at=NOON + timedelta(microseconds=1)),
    AbandonedValue(name="ünï", label="val", step=2**63 - 1, value=1.0, created_at=NOON),
)


@pytest.fixture
async def run(units: UnitsOfWork) -> Experiment:
    project = a_project()
    run = an_experiment(project)
    async with units.writing() as unit:
        await unit.projects.add(project)
        await unit.experiments.add(run)
        await unit.commit()
    return run


class TestBranchRepository:
    """What every adapter of the branches port keeps."""

    async def test_branches_come_back_as_they_were_by_age(self, units: UnitsOfWork, run: Experiment) -> None:
        later = a_branch(run, made_at=NOON + timedelta(hours=1), made_by=None, from_step=-(2**63))
        first = a_branch(run, values=VALUES, is_made=True, from_step=2**63 - 1)
        async with units.writing() as unit:
            for branch in (later, first):
                await unit.branches.add(branch)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.branches.of_experiment(run.id) == (first, later)
            assert await unit.branches.of_project(run.project_id) == {first.id, later.id}
            assert await unit.branches.get_many([later.id, new_id(), run.id]) == {later.id: later}
            assert await unit.branches.of_project(new_id()) == frozenset()

    async def test_a_save_keeps_whether_it_is_made_and_its_values(
        self, units: UnitsOfWork, run: Experiment
    ) -> None:
        branch = a_branch(run)
        async with units.writing() as unit:
            await unit.branches.add(branch)
            await unit.branches.save(branch.made(VALUES).evolve(from_step=9, points=3))
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.branches.of_experiment(run.id) == (branch.made(VALUES),)

    async def test_a_branch_needs_its_experiment_and_an_id_of_its_own(
        self, units: UnitsOfWork, run: Experiment
    ) -> None:
        branch = a_branch(run)
        async with units.writing() as unit:
            with pytest.raises(NotFound):
                await unit.branches.save(branch)
            await unit.branches.add(branch)
            await unit.commit()
        async with units.writing() as unit:
            with pytest.raises(AlreadyExists):
                await unit.branches.add(branch)
        async with units.writing() as unit:
            with pytest.raises(NotFound):
                await unit.branches.add(a_branch(an_experiment(a_project())))

    @pytest.mark.parametrize("whole", [False, True])
    async def test_branches_vanish_with_their_experiment(
        self, units: UnitsOfWork, run: Experiment, whole: bool
    ) -> None:
        async with units.writing() as unit:
            branch = a_branch(run)
            await unit.branches.add(branch)
            if whole:
                await unit.projects.delete(run.project_id)
            else:
                await unit.experiments.delete(run.id)
            assert await unit.branches.of_experiment(run.id) == ()
            assert await unit.branches.get_many([branch.id]) == {}

    async def test_what_is_withdrawn_leaves_the_values_before_and_their_summaries(
        self, units: UnitsOfWork, run: Experiment
    ) -> None:
        kept = [a_metric(run, step=0, value=0.25), a_metric(run, step=4, value=0.5)]
        gone = [a_metric(run, step=5, value=0.75), a_metric(run, name="loss", label="val", step=9)]
        async with units.writing() as unit:
            await unit.metrics.put([*gone, *kept])
            await unit.summaries.keep_series([SeriesMark(run.id, "curve", 3, 1.0, 1.0, 1.0)])
            assert await unit.metrics.withdraw(run.id, 5) == tuple(gone)
            assert await unit.metrics.withdraw(new_id(), 0) == ()
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.metrics.of_experiment(run.id) == tuple(kept)
            (summary,) = await unit.summaries.of_experiments([run.id])
        assert (summary.name, summary.last, summary.max, summary.finals) == ("acc", 0.5, 0.5, 2)
