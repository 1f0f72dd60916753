"""Runs that go on at an earlier step, over services in memory with a store that may fail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import pytest

from tests.factories import new_id
from tracker.adapters.memory.scalars import MemoryScalarStore
from tracker.domain.errors import Forbidden, Invalid, NotFound, Unavailable
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.identity.actions import Action
from tracker.domain.identity.actor import Actor
from tracker.domain.ids import BatchId, ExperimentId, ProjectId, UserId
from tracker.domain.projects.project import Aggregation, Direction, MetricDefinition
from tracker.domain.scalars.batch import ScalarBatch
from tracker.domain.scalars.series import SampleQuery

if TYPE_CHECKING:
    from tests.service.conftest import House

BEST = MetricDefinition(name="acc", direction=Direction.MAXIMIZE, aggregation=Aggregation.BEST)


async def a_run(house: House) -> Experiment:
    project = await house.projects.create(house.actor, name="digits", metrics=(BEST,))
    run = await house.experiments.create(house.actor, project.id, name="a", status=Status.RUNNING)
    await log(house, run.id, range(10))
    return run


async def log(house: House, run_id: ExperimentId, steps: range, value: float = 0.0) -> None:
    step = np.array(steps, np.int64)
    zeros = np.zeros(len(step), np.int64)
    batch = ScalarBatch(
        id=BatchId(new_id()), experiment_id=run_id, names=("loss",),
        series=zeros, step=step, time=step, value=(step + value).astype(np.float64),
    )  # fmt: skip
    await house.scalars.append(house.actor, batch)


async def losses(house: House, key: UUID) -> list[float]:
    series = await house.scalars.read(house.actor, ExperimentId(key), "loss")
    return series.value.tolist()


async def test_a_run_that_goes_on_at_a_checkpoint_has_one_clean_curve(house: House) -> None:
    run = await a_run(house)
    await house.metrics.log(house.actor, run.id, "acc", 0.5, step=3)
    await house.metrics.log(house.actor, run.id, "acc", 0.9, step=8, label=None)
    await house.experiments.edit(house.actor, run.id, status=Status.FAILED, end_reason="killed")
    resumed = await house.branches.resume(house.actor, run.id, step=4)
    assert (resumed.status, resumed.end_reason, resumed.completed_at) == (Status.RUNNING, None, None)
    await log(house, run.id, range(4, 6), value=100)
    assert await losses(house, run.id) == [0, 1, 2, 3, 104, 105]
    (branch,) = await house.branches.list(house.actor, run.id)
    assert (branch.from_step, branch.points, branch.made_by) == (4, 6, house.actor.user_id)
    assert await losses(house, branch.id) == [4, 5, 6, 7, 8, 9]
    assert [(each.name, each.step, each.value) for each in branch.values] == [("acc", 8, 0.9)]
    (judged,) = await house.metrics.table(house.actor, run.project_id)
    assert judged.value == 0.5  # not what the branch had


async def test_searches_know_the_curve_as_it_is_after_the_branch(house: House) -> None:
    run = await a_run(house)
    await house.summaries.refresh()
    await house.branches.resume(house.actor, run.id, step=4)
    (found,) = await house.search.search(house.actor, None, filter="max(loss) = 3")
    assert found.metrics == {"loss": 3.0}
    await house.branches.resume(house.actor, run.id, step=0)
    (found,) = await house.search.search(house.actor, None, filter="")
    assert found.metrics == {}


async def test_without_a_step_nothing_moves(house: House) -> None:
    run = await a_run(house)
    await house.heartbeats.beat(house.actor, run.id)
    resumed = await house.branches.resume(house.actor, run.id)
    assert resumed.heartbeat_at is None
    assert len(await losses(house, run.id)) == 10
    assert await house.branches.list(house.actor, run.id) == ()


class Moody(MemoryScalarStore):
    """A store that may be away before, or right after, it has moved points."""

    before = after = False

    async def branch(
        self, project_id: ProjectId, experiment_id: ExperimentId, *, step: int, into: ExperimentId
    ) -> None:
        if self.before:
            raise Unavailable("the store does not answer")
        await super().branch(project_id, experiment_id, step=step, into=into)
        if self.after:
            raise Unavailable("the answer got lost")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_who_was_interrupted_resumes_once_more_and_nothing_moves_twice(house: House, when: str) -> None:
    house.store = moody = Moody()
    house.__post_init__()
    run = await a_run(house)
    await house.experiments.edit(house.actor, run.id, status=Status.FAILED)
    setattr(moody, when, True)
    with pytest.raises(Unavailable):
        await house.branches.resume(house.actor, run.id, step=6)
    assert (await house.experiments.get(house.actor, run.id)).status is Status.FAILED
    assert await house.branches.list(house.actor, run.id) == ()
    setattr(moody, when, False)
    await house.branches.resume(house.actor, run.id, step=3)
    first, second = await house.branches.list(house.actor, run.id)
    assert (first.from_step, first.points) == (6, 4)
    assert (second.from_step, second.points) == (3, 3)
    assert await losses(house, run.id) == [0, 1, 2]


async def test_two_who_resume_at_the_same_step_make_one_branch(house: House) -> None:
    run = await a_run(house)
    await asyncio.gather(*(house.branches.resume(house.actor, run.id, step=5) for _ in range(3)))
    branches = await house.branches.list(house.actor, run.id)
    assert sum(branch.points for branch in branches) == 5
    assert len(await losses(house, run.id)) == 5


async def test_a_branch_is_no_run_of_its_project(house: House) -> None:
    run = await a_run(house)
    await house.branches.resume(house.actor, run.id, step=5)
    (branch,) = await house.branches.list(house.actor, run.id)
    rows = await house.scalars.summary(house.actor, run.project_id)
    assert [row.experiment_id for row in rows] == [run.id]
    top = await house.scalars.top(house.actor, run.project_id, "loss", k=1)
    assert [(row.experiment_id, row.last_value) for row in top] == [(run.id, 4.0)]
    assert list(await house.scalars.last_logged(house.actor, run.project_id)) == [run.id]
    every = await house.scalars.sample(house.actor, run.project_id, SampleQuery(experiments=()))
    assert [each.experiment_id for each in every] == [run.id]
    asked = SampleQuery(experiments=(run.id, branch.series_id))
    both = await house.scalars.sample(house.actor, run.project_id, asked)
    assert [each.experiment_id for each in both] == [run.id, branch.series_id]
    (row,) = await house.scalars.summary(house.actor, run.project_id, [branch.series_id])
    assert row.count == 5
    with pytest.raises(NotFound):
        await log(house, branch.series_id, range(3))
    with pytest.raises(NotFound):
        await house.experiments.get(house.actor, branch.series_id)


async def test_branches_vanish_with_their_experiment(house: House) -> None:
    run = await a_run(house)
    await house.branches.resume(house.actor, run.id, step=5)
    (branch,) = await house.branches.list(house.actor, run.id)
    await house.experiments.delete(house.actor, run.id)
    with pytest.raises(NotFound):
        await losses(house, branch.id)
    assert await house.store.summary(run.project_id) == ()


async def test_who_may_not_see_a_run_sees_no_branch(house: House) -> None:
    run = await a_run(house)
    await house.branches.resume(house.actor, run.id, step=5)
    (branch,) = await house.branches.list(house.actor, run.id)
    stranger = Actor(user_id=UserId(UUID(int=99)))
    absent = ExperimentId(new_id())
    for ask in (
        lambda key: house.scalars.read(stranger, key, "loss"),
        lambda key: house.scalars.summary_of(stranger, key),
        lambda key: house.branches.list(stranger, key),
        lambda key: house.branches.resume(stranger, key, step=0),
    ):
        told = []
        for key in (branch.series_id, run.id, absent):
            with pytest.raises(NotFound) as hidden:
                await ask(key)
            told.append(hidden.value.detail.replace(str(key), ""))
        assert len(set(told)) == 1


async def test_points_and_values_of_branches_take_the_permission_to_see_such(house: House) -> None:
    run = await a_run(house)
    await house.metrics.log(house.actor, run.id, "acc", 0.9, step=8)
    await house.branches.resume(house.actor, run.id, step=5)
    looking = house.actor.evolve(scopes=frozenset({Action.EXPERIMENTS_VIEW}))
    (branch,) = await house.branches.list(looking, run.id)
    assert (branch.from_step, branch.points, branch.values) == (5, 0, ())
    with pytest.raises(Forbidden, match=r"scalars\.view"):
        await house.scalars.read(looking, branch.series_id, "loss")
    with pytest.raises(Forbidden, match=r"experiments\.edit"):
        await house.branches.resume(looking, run.id)


@pytest.mark.parametrize("step", [2**63, -(2**63) - 1, 1.5, "3", True])
async def test_a_step_that_is_none_is_refused_before_anything_happens(house: House, step: object) -> None:
    run = await a_run(house)
    with pytest.raises(Invalid, match="from_step"):
        await house.branches.resume(house.actor, run.id, step=step)  # type: ignore[arg-type]
    assert await house.branches.list(house.actor, run.id) == ()
