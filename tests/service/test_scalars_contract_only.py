"""Our client over a service that speaks the contract and nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import numpy as np
import pytest

from tests.live import LiveApp
from tests.scalar_batches import OPEN, OTHER_RUN, PROJECT, RUN, batch, curve
from tests.service.contract_only import contract_only_app, older_app
from tracker.adapters.scalars.http import HttpScalarStore
from tracker.domain.errors import NotFound, Unavailable
from tracker.domain.ids import ProjectId
from tracker.domain.scalars.batch import StepTags
from tracker.domain.scalars.series import SampleQuery, TimeWindow


@pytest.fixture
def service() -> Iterator[LiveApp]:
    live = LiveApp(contract_only_app())
    yield live
    live.stop()


@pytest.fixture
async def store(service: LiveApp):
    opened = HttpScalarStore(service.url)
    yield opened
    await opened.close()


async def test_points_come_back_by_step_then_arrival_with_unknown_times(store: HttpScalarStore) -> None:
    await store.append(PROJECT, batch(("loss", 5, 50, 0.5), ("acc", 5, 50, 0.6), ("loss", -3, 60, 0.25)))
    await store.append(PROJECT, batch(("loss", 5, 10, np.nan), ("loss", 5, 10, -np.inf)))
    series = await store.read(PROJECT, RUN, "loss")
    assert series.step.tolist() == [-3, 5, 5, 5] and series.time.tolist() == [0] * 4
    np.testing.assert_equal(series.value, [0.25, 0.5, np.nan, -np.inf])
    assert (await store.read(PROJECT, RUN, "loss", start=-3, stop=5)).step.tolist() == [-3]
    assert len(await store.read(PROJECT, RUN, "loss", start=2**63, stop=2**70)) == 0
    assert len(await store.read(PROJECT, OTHER_RUN, "loss")) == 0


async def test_unknown_project_has_no_points(store: HttpScalarStore) -> None:
    assert len(await store.read(PROJECT, RUN, "loss")) == 0
    assert await store.sample(PROJECT, SampleQuery(experiments=(RUN,))) == ()
    assert await store.summary(PROJECT) == () and await store.top(PROJECT, "loss") == ()
    assert await store.tags(PROJECT, RUN, OPEN) == ()
    assert (await store.stats(PROJECT)).points == 0
    await store.delete(ProjectId(uuid4()))
    await store.maintain(1.0)
    await store.settle(PROJECT, RUN)
    await store.check()


async def test_a_sample_keeps_every_extreme_though_the_contract_promises_none(store: HttpScalarStore) -> None:
    value = np.sin(np.arange(5000.0))
    value[[1234, 4001]] = [99.0, np.nan]
    await store.append(PROJECT, curve(value))
    (sampled,) = await store.sample(PROJECT, SampleQuery(experiments=(RUN,), max_points=100))
    assert len(sampled) <= 100 and sampled.total == 5000
    assert 99.0 in sampled.value and len(sampled.gaps) == 1
    query = SampleQuery(experiments=(RUN,), max_points=100, start=1200, stop=1250)
    (part,) = await store.sample(PROJECT, query)
    assert part.step.tolist() == list(range(1200, 1250))


async def test_summary_and_top_are_computed_from_the_points(store: HttpScalarStore) -> None:
    await store.append(PROJECT, batch(("x", 1, 0, 3.0), ("x", 7, 0, np.inf), ("x", 7, 0, 1.0)))
    await store.append(PROJECT, batch(("x", 1, 0, 2.0), ("y", 1, 0, 9.0), run=OTHER_RUN))
    first, second, _ = await store.summary(PROJECT)
    assert (first.count, first.non_finite, first.first_step, first.last_step) == (3, 1, 1, 7)
    assert (first.last_value, first.min_value, first.max_value) == (1.0, 1.0, 3.0)
    assert first.modified > 0 and (second.experiment_id, second.name) == (OTHER_RUN, "x")
    assert [row.experiment_id for row in await store.top(PROJECT, "x")] == [OTHER_RUN, RUN]
    assert [row.name for row in await store.summary(PROJECT, [OTHER_RUN], ["y"])] == ["y"]


async def test_the_same_batch_again_changes_nothing_in_this_process(store: HttpScalarStore) -> None:
    once = batch(("x", 1, 0, 1.0), tags=[StepTags(step=1, names=("x",), tags=("best",))])
    for _ in range(3):
        await store.append(PROJECT, once)
    assert len(await store.read(PROJECT, RUN, "x")) == 1
    assert await store.tags(PROJECT, RUN, OPEN) == once.tags


async def test_tags_stand_on_the_scalars_they_were_put_on(store: HttpScalarStore) -> None:
    late = StepTags(step=9, names=("x",), tags=("late",))
    early = StepTags(step=-1, names=("x", "y"), tags=("a", "b"))
    alone = StepTags(step=20, names=(), tags=("alone",))
    await store.append(
        PROJECT, batch(("x", 9, 0, 1.0), ("x", -1, 0, 1.0), ("y", -1, 0, 2.0), tags=[late, early, alone])
    )
    assert await store.tags(PROJECT, RUN, OPEN) == (early, late, alone)
    assert await store.tags(PROJECT, RUN, TimeWindow(stop=1000)) == ()


async def test_a_deleted_experiment_is_hidden_and_a_deleted_project_gone(
    store: HttpScalarStore, service: LiveApp
) -> None:
    await store.append(PROJECT, batch(("x", 1, 0, 1.0)))
    await store.append(PROJECT, batch(("x", 1, 0, 1.0), run=OTHER_RUN))
    await store.delete(PROJECT, RUN)
    assert [row.experiment_id for row in await store.summary(PROJECT)] == [OTHER_RUN]
    with pytest.raises(NotFound):
        await store.append(PROJECT, batch(("x", 2, 0, 1.0)))
    await store.delete(PROJECT)
    await store.delete(PROJECT)
    with pytest.raises(NotFound):
        await store.append(PROJECT, batch(("x", 2, 0, 1.0), run=OTHER_RUN))
    fresh = HttpScalarStore(service.url)
    assert await fresh.summary(PROJECT) == ()
    await fresh.close()


async def test_a_service_that_lost_its_projects_is_told_of_them_again(
    store: HttpScalarStore, service: LiveApp
) -> None:
    await store.append(PROJECT, batch(("x", 1, 0, 1.0)))
    other = HttpScalarStore(service.url)
    await other.delete(PROJECT)
    await other.close()
    await store.append(PROJECT, batch(("x", 2, 0, 1.0)))
    assert (await store.read(PROJECT, RUN, "x")).step.tolist() == [2]


async def test_what_the_contract_has_no_way_to_ask_is_unavailable(store: HttpScalarStore) -> None:
    with pytest.raises(Unavailable, match="since"):
        await store.since(PROJECT, RUN)
    with pytest.raises(Unavailable, match="verify"):
        await store.verify(PROJECT)


async def test_what_it_cannot_keep_apart_it_refuses_before_anything_moves(store: HttpScalarStore) -> None:
    await store.append(PROJECT, curve(np.arange(10.0)))
    with pytest.raises(Unavailable, match="resume without a step"):
        await store.branch(PROJECT, RUN, step=5, into=OTHER_RUN)
    assert len(await store.read(PROJECT, RUN, "loss")) == 10


async def test_a_service_of_ours_that_is_older_than_branches_is_named_as_such() -> None:
    live = LiveApp(older_app())
    store = HttpScalarStore(live.url)
    try:
        with pytest.raises(Unavailable, match="older than branches: update it"):
            await store.branch(PROJECT, RUN, step=5, into=OTHER_RUN)
    finally:
        await store.close()
        live.stop()
