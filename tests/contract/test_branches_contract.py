"""What every store of time series promises of branches, run over each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from tests.brute_force import assert_sampled
from tests.contract.test_scalars_contract import make_store, store  # noqa: F401  (fixtures)
from tests.scalar_batches import OPEN, OTHER_RUN, PROJECT, RUN, batch, bits, curve, points
from tracker.domain.errors import NotFound
from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.batch import StepTags
from tracker.domain.scalars.series import Axis, Ranking, SampleQuery
from tracker.ports.scalars import ScalarStore

INTO = ExperimentId(RUN.__class__(int=0xB1))
INTO_TOO = ExperimentId(RUN.__class__(int=0xB2))


class TestBranches:
    """What every adapter of the scalars port keeps."""

    async def test_what_stands_at_the_step_and_behind_moves_in_its_order(
        self,
        store: ScalarStore,  # noqa: F811
    ) -> None:
        await store.append(PROJECT, batch(("loss", 5, 50, 0.5), ("loss", -3, 60, 0.6), ("acc", 1, 1, 1.0)))
        await store.append(PROJECT, batch(("loss", 5, 10, 0.1), ("lr", 9, 9, 0.9), ("loss", 4, 5, 0.0)))
        await store.append(PROJECT, batch(("loss", 5, 1, 7.0), run=OTHER_RUN))
        await store.branch(PROJECT, RUN, step=5, into=INTO)
        assert points(await store.read(PROJECT, RUN, "loss")) == [(-3, 60, 0.6), (4, 5, 0.0)]
        assert points(await store.read(PROJECT, INTO, "loss")) == [(5, 50, 0.5), (5, 10, 0.1)]
        assert points(await store.read(PROJECT, INTO, "lr")) == [(9, 9, 0.9)]
        assert points(await store.read(PROJECT, OTHER_RUN, "loss")) == [(5, 1, 7.0)]
        rows = {(row.experiment_id, row.name): row for row in await store.summary(PROJECT)}
        assert rows.keys() == {
            (RUN, "loss"), (RUN, "acc"), (OTHER_RUN, "loss"), (INTO, "loss"), (INTO, "lr"),
        }  # fmt: skip
        kept, moved = rows[RUN, "loss"], rows[INTO, "loss"]
        assert (kept.count, kept.last_step, kept.last_value, kept.max_value) == (2, 4, 0.0, 0.6)
        assert (moved.count, moved.first_step, moved.last_value, moved.modified) == (2, 5, 0.5, 50)
        assert [row.experiment_id for row in await store.top(PROJECT, "lr", by=Ranking.MAX)] == [INTO]
        assert await store.verify(PROJECT) == ()

    async def test_a_series_that_moved_as_a_whole_is_none_of_the_run_s(self, store: ScalarStore) -> None:  # noqa: F811
        await store.append(PROJECT, batch(("loss", 5, 50, 0.5), ("acc", 1, 1, 1.0)))
        await store.branch(PROJECT, RUN, step=5, into=INTO)
        rows = await store.summary(PROJECT)
        assert [(row.experiment_id, row.name) for row in rows] == [(RUN, "acc"), (INTO, "loss")]
        assert await store.top(PROJECT, "loss", by=Ranking.MIN) == (rows[1],)

    @pytest.mark.parametrize("step", [-(2**63), 0, 7_000, 19_999, 20_000, 2**63 - 1])
    async def test_long_series_are_parted_to_the_point(self, store: ScalarStore, step: int) -> None:  # noqa: F811
        rng = np.random.default_rng(5)
        value = rng.standard_normal(20_000)
        value[::77] = np.nan
        await store.append(PROJECT, curve(value))
        await store.settle(PROJECT, RUN)
        again = rng.standard_normal(3000)
        await store.append(PROJECT, curve(again, start=6000))  # arrived later, at steps that were there
        await store.append(PROJECT, curve(np.arange(5.0), start=20_000))
        every = points(await store.read(PROJECT, RUN, "loss"))
        await store.branch(PROJECT, RUN, step=step, into=INTO)
        found = [points(await store.read(PROJECT, run, "loss")) for run in (RUN, INTO)]
        assert repr(found) == repr(
            [[p for p in every if p[0] < step], [p for p in every if p[0] >= step]]
        )  # NaN has a repr of its own
        assert await store.verify(PROJECT) == ()
        for run, own in zip((RUN, INTO), found, strict=True):
            for one in await store.sample(PROJECT, SampleQuery(experiments=(run,), max_points=100)):
                assert_sampled(one, [(s, t, np.float64(v).tobytes()) for s, t, v in own], 100, Axis.STEP)
        total = sum(row.count for row in await store.summary(PROJECT, [RUN, INTO]))
        assert total == len(every)

    async def test_the_same_branch_again_leaves_what_came_since(self, store: ScalarStore) -> None:  # noqa: F811
        await store.append(PROJECT, curve(np.arange(10.0)))
        await store.branch(PROJECT, RUN, step=5, into=INTO)
        await store.append(PROJECT, curve(np.arange(100.0, 103.0), start=5))
        await store.branch(PROJECT, RUN, step=5, into=INTO)
        await store.branch(PROJECT, RUN, step=0, into=INTO)
        value = (await store.read(PROJECT, RUN, "loss")).value.tolist()
        assert value == [0.0, 1.0, 2.0, 3.0, 4.0, 100.0, 101.0, 102.0]
        assert (await store.read(PROJECT, INTO, "loss")).value.tolist() == [5.0, 6.0, 7.0, 8.0, 9.0]
        await store.branch(PROJECT, RUN, step=5, into=INTO_TOO)
        assert (await store.read(PROJECT, INTO_TOO, "loss")).value.tolist() == [100.0, 101.0, 102.0]

    async def test_where_nothing_was_there_to_move_the_branch_was_still_made(
        self,
        store: ScalarStore,  # noqa: F811
    ) -> None:
        await store.branch(PROJECT, RUN, step=5, into=INTO)
        await store.append(PROJECT, curve(np.arange(10.0)))
        await store.branch(PROJECT, RUN, step=5, into=INTO)
        assert len(await store.read(PROJECT, RUN, "loss")) == 10
        assert len(await store.read(PROJECT, INTO, "loss")) == 0
        assert [row.experiment_id for row in await store.summary(PROJECT)] == [RUN]

    async def test_batches_of_the_run_stay_known_and_their_points_stay_moved(
        self,
        store: ScalarStore,  # noqa: F811
    ) -> None:
        first = curve(np.arange(10.0))
        await store.append(PROJECT, first)
        await store.branch(PROJECT, RUN, step=5, into=INTO)
        await store.append(PROJECT, first)
        assert len(await store.read(PROJECT, RUN, "loss")) == 5

    async def test_tags_move_with_their_steps(self, store: ScalarStore) -> None:  # noqa: F811
        early, late = (StepTags(step=step, names=("loss",), tags=("best",)) for step in (4, 5))
        await store.append(PROJECT, batch(("loss", 4, 1, 1.0), ("loss", 5, 2, 1.0), tags=(late, early)))
        await store.branch(PROJECT, RUN, step=5, into=INTO)
        assert await store.tags(PROJECT, RUN, OPEN) == (early,)
        assert await store.tags(PROJECT, INTO, OPEN) == (late,)

    async def test_who_goes_on_with_a_cursor_gets_what_comes_after_the_branch(
        self,
        store: ScalarStore,  # noqa: F811
    ) -> None:
        await store.append(PROJECT, curve(np.arange(10.0)))
        cursor = (await store.since(PROJECT, RUN)).cursor
        await store.branch(PROJECT, RUN, step=0, into=INTO)
        news = await store.since(PROJECT, RUN, cursor)
        assert news.series == ()
        await store.append(PROJECT, batch(("loss", 3, 1, 3.5)))
        (series,) = (await store.since(PROJECT, RUN, news.cursor)).series
        assert points(series) == [(3, 1, 3.5)]
        (moved,) = (await store.since(PROJECT, INTO)).series
        assert bits(moved.value) == bits(np.arange(10.0))

    async def test_a_branch_can_be_deleted_and_then_stays_deleted(self, store: ScalarStore) -> None:  # noqa: F811
        await store.append(PROJECT, curve(np.arange(10.0)))
        await store.branch(PROJECT, RUN, step=5, into=INTO)
        await store.delete(PROJECT, INTO)
        await store.branch(PROJECT, RUN, step=0, into=INTO)
        assert len(await store.read(PROJECT, INTO, "loss")) == 0
        assert len(await store.read(PROJECT, RUN, "loss")) == 5

    async def test_what_was_deleted_has_no_branches(self, store: ScalarStore) -> None:  # noqa: F811
        await store.append(PROJECT, curve(np.arange(10.0)))
        await store.delete(PROJECT, RUN)
        with pytest.raises(NotFound):
            await store.branch(PROJECT, RUN, step=5, into=INTO)
        await store.delete(PROJECT)
        with pytest.raises(NotFound):
            await store.branch(PROJECT, OTHER_RUN, step=5, into=INTO)

    async def test_of_branches_and_batches_at_once_none_gets_lost(self, store: ScalarStore) -> None:  # noqa: F811
        async def log(start: int) -> None:
            for at in range(start, start + 30):
                await store.append(PROJECT, batch(("loss", at, 1, float(at))))

        async def branch(into: ExperimentId) -> None:
            await asyncio.sleep(0.01)
            await store.branch(PROJECT, RUN, step=50, into=into)

        await asyncio.gather(log(0), log(100), log(200), branch(INTO), branch(INTO), branch(INTO_TOO))
        found = [points(await store.read(PROJECT, run, "loss")) for run in (RUN, INTO, INTO_TOO)]
        every = sorted(point for own in found for point in own)
        assert every == [(at, 1, float(at)) for start in (0, 100, 200) for at in range(start, start + 30)]
        assert await store.verify(PROJECT) == ()

    async def test_branches_are_there_when_the_store_is_opened_again(
        self,
        make_store: Callable[[], ScalarStore],  # noqa: F811
        request: pytest.FixtureRequest,
    ) -> None:
        if "memory" in request.node.name:
            return  # which keeps nothing
        first = make_store()
        await first.append(PROJECT, curve(np.arange(3000.0)))
        await first.branch(PROJECT, RUN, step=1000, into=INTO)
        await first.close()
        second = make_store()
        await second.branch(PROJECT, RUN, step=0, into=INTO)
        counts = {row.experiment_id: row.count for row in await second.summary(PROJECT)}
        await second.append(PROJECT, curve(np.arange(10.0), start=1000))
        assert len(await second.read(PROJECT, RUN, "loss")) == 1010
        await second.close()
        assert counts == {RUN: 1000, INTO: 2000}
