from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from tests.doubles import UndeletableScalars
from tests.factories import a_user
from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.domain.errors import Invalid, LineageCycle, NotFound
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.experiments.service import ExperimentService
from tracker.domain.identity.actor import Actor
from tracker.domain.ids import ExperimentId, ProjectId, UserId
from tracker.domain.projects.project import Aggregation, Direction, MetricDefinition
from tracker.domain.scalars.record import ScalarRecord
from tracker.domain.scalars.series import SampleQuery
from tracker.domain.scalars.service import ScalarService

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service.conftest import House

STRANGER = Actor(user_id=UserId(UUID(int=99)))
ACCURACY = MetricDefinition(name="acc", direction=Direction.MAXIMIZE, aggregation=Aggregation.BEST)


async def a_project(house: House, **fields: object) -> ProjectId:
    return (await house.projects.create(house.actor, name="digits", **fields)).id  # type: ignore[arg-type]


async def an_experiment(house: House, project: ProjectId, name: str, **fields: object) -> ExperimentId:
    return (await house.experiments.create(house.actor, project, name=name, **fields)).id  # type: ignore[arg-type]


async def test_of_many_who_want_the_same_project_one_creates_it(house: House) -> None:
    made = await asyncio.gather(
        *(house.projects.create(house.actor, name="digits", exist_ok=True) for _ in range(10))
    )
    assert len({project.id for project in made}) == 1
    assert len(await house.projects.list(house.actor)) == 1


async def test_what_a_stranger_may_not_see_answers_like_what_does_not_exist(house: House) -> None:
    project = await a_project(house)
    run = await an_experiment(house, project, "1_baseline")
    absent = ExperimentId(UUID(int=7))
    for services_answer in (
        lambda key: house.experiments.get(STRANGER, key),
        lambda key: house.experiments.edit(STRANGER, key, name="mine"),
        lambda key: house.experiments.delete(STRANGER, key),
        lambda key: house.metrics.log(STRANGER, key, "acc", 1.0),
        lambda key: house.metrics.of_experiment(STRANGER, key),
        lambda key: house.scalars.log(STRANGER, key, [ScalarRecord(step=0, values={"a": 1.0})]),
        lambda key: house.scalars.read(STRANGER, key, "a"),
    ):
        with pytest.raises(NotFound) as hidden:
            await services_answer(run)
        with pytest.raises(NotFound) as missing:
            await services_answer(absent)
        assert hidden.value.detail.replace(str(run), "") == missing.value.detail.replace(str(absent), "")
    assert await house.projects.list(STRANGER) == ()
    assert await house.experiments.recent(STRANGER) == ()


async def test_an_owner_who_is_no_superuser_works_in_their_own_project(house: House) -> None:
    owner = Actor(user_id=UserId(UUID(int=5)))
    async with house.units.writing() as unit:
        await unit.users.add(a_user(id=owner.user_id))
        await unit.commit()
    project = await house.projects.create(owner, name="own")
    run = await house.experiments.create(owner, project.id, name="a")
    assert await house.experiments.recent(owner) == (run,)


async def test_a_new_experiment_gets_a_colour_a_place_and_the_parent_its_name_gives(house: House) -> None:
    project = await a_project(house)
    first = await house.experiments.create(house.actor, project, name="1_baseline")
    second = await house.experiments.create(house.actor, project, name="2_from_1_lr")
    third = await house.experiments.create(house.actor, project, name="3_from_9_lr")
    assert [e.position for e in (first, second, third)] == [0, 1, 2]
    assert len({e.color for e in (first, second, third)}) == 3
    assert (second.parent_id, third.parent_id) == (first.id, None)


async def test_a_parent_below_the_child_is_a_cycle(house: House) -> None:
    project = await a_project(house)
    top = await an_experiment(house, project, "a")
    middle = await an_experiment(house, project, "b", parent_id=top)
    bottom = await an_experiment(house, project, "c", parent_id=middle)
    for parent in (top, middle, bottom):
        with pytest.raises(LineageCycle):
            await house.experiments.edit(house.actor, top, parent_id=parent)
    assert (await house.experiments.edit(house.actor, bottom, parent_id=top)).parent_id == top


async def test_a_parent_in_another_project_is_refused_like_a_missing_one(house: House) -> None:
    project, other = await a_project(house), await a_project(house)
    foreign = await an_experiment(house, other, "a")
    own = await an_experiment(house, project, "b")
    for parent in (foreign, ExperimentId(UUID(int=3))):
        with pytest.raises(Invalid, match="parent_id"):
            await house.experiments.edit(house.actor, own, parent_id=parent)
        with pytest.raises(Invalid, match="parent_id"):
            await an_experiment(house, project, "c", parent_id=parent)
    assert len(await house.experiments.list(house.actor, project)) == 1


async def test_deleting_heals_the_tree_and_takes_the_points_along(house: House) -> None:
    project = await a_project(house)
    top = await an_experiment(house, project, "a")
    middle = await an_experiment(house, project, "b", parent_id=top)
    bottom = await an_experiment(house, project, "c", parent_id=middle)
    await house.scalars.log(house.actor, middle, [ScalarRecord(step=0, values={"loss": 1.0})])
    await house.experiments.delete(house.actor, middle)
    assert (await house.experiments.get(house.actor, bottom)).parent_id == top
    assert await house.store.summary(project) == ()


async def test_a_deletion_holds_though_the_scalars_store_is_down_and_is_finished_later(house: House) -> None:
    store = UndeletableScalars()
    scalars = ScalarService(house.units, store, house.clock, house.ids, house.summaries.note)  # type: ignore[arg-type]
    house.projects._purge = scalars.sweep
    project = await a_project(house)
    await house.projects.delete(house.actor, project)
    with pytest.raises(NotFound):
        await house.projects.get(house.actor, project)
    assert await scalars.sweep() == 0
    store.works = True
    assert await scalars.sweep() == 1
    assert store.deleted == [(project, None)]
    assert await scalars.sweep() == 0


async def test_an_edit_moves_the_status_and_sets_the_times(house: House) -> None:
    project = await a_project(house)
    run = await an_experiment(house, project, "a")
    started = await house.experiments.edit(house.actor, run, status=Status.RUNNING, progress=10)
    later = house.clock.advance(hours=2)
    ended = await house.experiments.edit(house.actor, run, status=Status.COMPLETE)
    assert (ended.started_at, ended.completed_at, ended.progress) == (started.started_at, later, 10.0)


@pytest.mark.parametrize("field", ["id", "project_id", "created_at", "completed_at", "version", "colour"])
async def test_a_field_that_is_not_to_be_changed_is_refused(house: House, field: str) -> None:
    run = await an_experiment(house, await a_project(house), "a")
    with pytest.raises(Invalid, match=field):
        await house.experiments.edit(house.actor, run, **{field: None})


async def test_reordering_puts_the_named_first_and_keeps_the_others(house: House) -> None:
    project = await a_project(house)
    a, b, c, d = [await an_experiment(house, project, name) for name in "abcd"]
    ordered = await house.experiments.reorder(house.actor, project, [c, a])
    assert [e.id for e in ordered] == [c, a, b, d]
    for wrong in ([a, a], [ExperimentId(UUID(int=1))]):
        with pytest.raises(Invalid, match="experiment_ids"):
            await house.experiments.reorder(house.actor, project, wrong)


async def test_the_table_has_one_value_for_each_experiment_and_tracked_metric(house: House) -> None:
    project = await a_project(house, metrics=[ACCURACY])
    a, b = [await an_experiment(house, project, name) for name in "ab"]
    for step, value in enumerate([0.1, 0.9, 0.5]):
        await house.metrics.log(house.actor, a, "acc", value, step=step)
    await house.metrics.log(house.actor, b, "loss", 3.0)
    rows = await house.metrics.table(house.actor, project)
    assert [(row.experiment_id, row.value, row.step) for row in rows] == [(a, 0.9, 1)]


async def test_points_come_back_and_the_last_time_is_known(house: House) -> None:
    project = await a_project(house)
    run = await an_experiment(house, project, "a")
    when = datetime(2026, 5, 1, tzinfo=UTC)
    records = [ScalarRecord(step=s, values={"loss": 1.0 / (s + 1), "acc": s}, time=when) for s in range(5)]
    batch = house.ids.new()
    for _ in range(2):  # the same batch sent again changes nothing
        await house.scalars.log(house.actor, run, records, batch_id=batch)  # type: ignore[arg-type]
    series = await house.scalars.read(house.actor, run, "loss", start=1, stop=3)
    assert (series.step.tolist(), series.value.tolist()) == ([1, 2], [1 / 2, 1 / 3])
    assert await house.scalars.last_logged(house.actor, project) == {run: when}
    sampled = await house.scalars.sample(house.actor, project, SampleQuery(experiments=()))
    assert [(s.name, len(s)) for s in sampled] == [("acc", 5), ("loss", 5)]


async def test_a_stranger_is_refused_though_the_owner_logged_a_moment_ago(house: House) -> None:
    run = await an_experiment(house, await a_project(house), "1_baseline")
    record = ScalarRecord(step=0, values={"loss": 1.0})
    await house.scalars.log(house.actor, run, [record])
    with pytest.raises(NotFound):
        await house.scalars.log(STRANGER, run, [record])


async def test_an_experiment_deleted_a_moment_after_its_log_takes_no_more(house: House) -> None:
    run = await an_experiment(house, await a_project(house), "1_baseline")
    record = ScalarRecord(step=0, values={"loss": 1.0})
    await house.scalars.log(house.actor, run, [record])
    await house.experiments.delete(house.actor, run)
    with pytest.raises(NotFound):
        await house.scalars.log(house.actor, run, [record])


@pytest.mark.parametrize("status", [Status.COMPLETE, Status.FAILED])
async def test_a_run_that_ends_is_compressed(tmp_path: Path, house: House, status: Status) -> None:
    store = EmbeddedScalarStore(tmp_path)
    scalars = ScalarService(house.units, store, house.clock, house.ids, house.summaries.note)
    experiments = ExperimentService(house.units, house.clock, house.ids, scalars.sweep, scalars.settle)
    project = await a_project(house)
    run = await an_experiment(house, project, "1_baseline", status=Status.RUNNING)
    await scalars.log(house.actor, run, [ScalarRecord(step=0, values={"loss": 1.0})])
    await experiments.edit(house.actor, run, progress=50)
    assert (await store.stats(project)).loose == 1
    await experiments.edit(house.actor, run, status=status)
    assert (await store.stats(project)).loose == 0
    await store.close()
    await experiments.edit(house.actor, run, status=Status.RUNNING)
    ended = await experiments.edit(house.actor, run, status=status)  # the store is closed: no error
    assert ended.status is status
