"""What every store of time series promises, run over each of them."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from tests.brute_force import assert_sampled
from tests.live import LiveScalars
from tests.scalar_batches import OPEN, OTHER_RUN, PROJECT, RUN, batch, bits, curve, points
from tracker.adapters.memory.scalars import MemoryScalarStore
from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.adapters.scalars.http import HttpScalarStore
from tracker.domain.errors import Invalid, NotFound, TooManyRequests, Unavailable
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.scalars.batch import StepTags
from tracker.domain.scalars.series import Axis, Ranking, SampleQuery, TimeWindow
from tracker.ports.scalars import ScalarStore

INT64 = np.iinfo(np.int64)


@pytest.fixture(
    params=[
        "memory",
        "embedded",
        "postgres",
        "clickhouse",
        "service over memory",
        # The same client and service over a store that has its own place above.
        pytest.param("service over embedded", marks=pytest.mark.slow),
    ]
)
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], ScalarStore]]:
    if request.param in {"postgres", "clickhouse"}:
        yield request.getfixturevalue(f"make_{request.param}_scalars")
        return
    services: list[LiveScalars] = []

    def made() -> ScalarStore:
        if request.param.endswith("memory"):
            store: ScalarStore = MemoryScalarStore()
        else:
            store = EmbeddedScalarStore(tmp_path / "scalars", synchronous="normal")
        if not request.param.startswith("service"):
            return store
        services.append(LiveScalars(store))
        return HttpScalarStore(services[-1].url)

    yield made
    for service in services:
        service.stop()


@pytest.fixture
async def store(make_store: Callable[[], ScalarStore]) -> AsyncIterator[ScalarStore]:
    opened = make_store()
    yield opened
    await opened.close()


class TestScalarStore:
    async def test_unknown_project_has_no_points(self, store: ScalarStore) -> None:
        assert len(await store.read(PROJECT, RUN, "loss")) == 0
        assert await store.sample(PROJECT, SampleQuery(experiments=(RUN,))) == ()
        assert await store.summary(PROJECT) == ()
        assert await store.top(PROJECT, "loss") == ()
        assert await store.tags(PROJECT, RUN, OPEN) == ()
        assert (await store.since(PROJECT, RUN)).series == ()
        assert await store.stats(PROJECT) == (0, 0, 0, 0, 0)
        assert await store.verify(PROJECT) == ()
        await store.settle(PROJECT, RUN)
        await store.maintain(1.0)
        await store.check()

    async def test_points_come_back_by_step_then_arrival(self, store: ScalarStore) -> None:
        await store.append(PROJECT, batch(("loss", 5, 50, 0.5), ("loss", -3, 60, 0.6), ("acc", 1, 1, 1.0)))
        await store.append(PROJECT, batch(("loss", 5, 10, 0.1), ("loss", 5, 99, 0.9), ("loss", -3, 5, 0.0)))
        assert points(await store.read(PROJECT, RUN, "loss")) == [
            (-3, 60, 0.6),
            (-3, 5, 0.0),
            (5, 50, 0.5),
            (5, 10, 0.1),
            (5, 99, 0.9),
        ]
        assert points(await store.read(PROJECT, RUN, "acc")) == [(1, 1, 1.0)]
        assert len(await store.read(PROJECT, OTHER_RUN, "loss")) == 0

    async def test_start_is_included_and_stop_is_not(self, store: ScalarStore) -> None:
        await store.append(PROJECT, curve(np.arange(20_000.0)))
        await store.append(PROJECT, curve(np.arange(10.0), start=19_995))
        steps = (await store.read(PROJECT, RUN, "loss", start=19_990, stop=19_997)).step.tolist()
        assert steps == [19990, 19991, 19992, 19993, 19994, 19995, 19995, 19996, 19996]
        assert len(await store.read(PROJECT, RUN, "loss", start=5, stop=5)) == 0
        assert len(await store.read(PROJECT, RUN, "loss", start=2**63, stop=2**64)) == 0
        assert len(await store.read(PROJECT, RUN, "loss", start=-(2**70))) == 20_010

    async def test_extreme_steps_and_times_are_kept(self, store: ScalarStore) -> None:
        ends = [("x", INT64.max, INT64.min, 1.0), ("x", INT64.min, INT64.max, 2.0), ("x", 0, 0, 3.0)]
        await store.append(PROJECT, batch(*ends))
        assert [p[0] for p in points(await store.read(PROJECT, RUN, "x"))] == [INT64.min, 0, INT64.max]
        (row,) = await store.summary(PROJECT)
        assert (row.first_step, row.last_step, row.last_time) == (INT64.min, INT64.max, INT64.min)
        assert (row.last_value, row.modified) == (1.0, INT64.max)
        (sampled,) = await store.sample(PROJECT, SampleQuery(experiments=(RUN,), max_points=2))
        assert sampled.value.tolist() == [3.0, 1.0] and sampled.total == 3

    @pytest.mark.parametrize("count", [1, 40, 3000])
    async def test_values_come_back_bit_for_bit(self, store: ScalarStore, count: int) -> None:
        odd = [0x7FF8000000000000, 0x7FF8DEADBEEF0001, 0xFFF0000000000001, 0x7FF0000000000000]
        odd += [0xFFF0000000000000, 0x8000000000000000, 0x0000000000000001, 0x3FF0000000000000]
        value = np.resize(np.array(odd, np.uint64), count * len(odd)).view(np.float64)
        await store.append(PROJECT, curve(value))
        assert bits((await store.read(PROJECT, RUN, "loss")).value) == bits(value)
        await store.maintain(10.0)
        assert bits((await store.read(PROJECT, RUN, "loss")).value) == bits(value)
        (row,) = await store.summary(PROJECT)
        assert (row.count, row.non_finite) == (len(value), 5 * count)
        assert (row.min_value, row.max_value) == (0.0, 1.0)

    async def test_last_value_keeps_its_bits_when_it_is_nan_or_minus_zero(self, store: ScalarStore) -> None:
        for run, word in ((RUN, 0xFFF8DEADBEEF0001), (OTHER_RUN, 0x8000000000000000)):
            value = np.array([word], np.uint64).view(np.float64)
            await store.append(PROJECT, curve(value, run=run))
        last = np.array([row.last_value for row in await store.summary(PROJECT)])
        assert np.isnan(last[0]) and np.signbit(last[0])
        assert last[1] == 0 and np.signbit(last[1])

    async def test_series_without_finite_values_has_no_minimum(self, store: ScalarStore) -> None:
        await store.append(PROJECT, batch(("x", 1, 1, np.nan), ("x", 2, 1, np.inf), ("x", 3, 1, -np.inf)))
        (row,) = await store.summary(PROJECT)
        assert (row.min_value, row.max_value, row.non_finite, row.last_value) == (None, None, 3, -np.inf)
        await store.append(PROJECT, batch(("x", 0, 9, 4.0)))
        (row,) = await store.summary(PROJECT)
        assert (row.min_value, row.max_value, row.first_step, row.modified) == (4.0, 4.0, 0, 9)

    @pytest.mark.parametrize(
        ("earlier", "later", "wins"),
        [
            ((5, 10, 1.0), (4, 99, 2.0), 1.0),
            ((5, 10, 1.0), (5, 9, 2.0), 1.0),
            ((5, 10, 1.0), (5, 10, 2.0), 2.0),
            ((5, 10, 1.0), (6, 1, 2.0), 2.0),
        ],
        ids=["step", "time", "arrival", "higher-step"],
    )
    @pytest.mark.parametrize("together", [True, False])
    async def test_last_is_highest_step_then_time_then_arrival(
        self, store: ScalarStore, earlier: tuple, later: tuple, wins: float, together: bool
    ) -> None:
        batches = [[earlier, later]] if together else [[earlier], [later]]
        for part in batches:
            await store.append(PROJECT, batch(*(("x", *point) for point in part)))
        (row,) = await store.summary(PROJECT)
        assert row.last_value == wins

    async def test_batch_sent_again_changes_nothing(self, store: ScalarStore) -> None:
        tags = [StepTags(step=1, names=("x",), tags=("best",))]
        once = batch(("x", 1, 1, 1.0), tags=tags)
        await store.append(PROJECT, once)
        await asyncio.gather(*(store.append(PROJECT, once) for _ in range(5)))
        assert points(await store.read(PROJECT, RUN, "x")) == [(1, 1, 1.0)]
        assert await store.tags(PROJECT, RUN, OPEN) == tuple(tags)
        await store.append(PROJECT, once.evolve(experiment_id=OTHER_RUN))
        assert len(await store.read(PROJECT, OTHER_RUN, "x")) == 1

    async def test_thousand_names_of_any_script_are_told_apart(self, store: ScalarStore) -> None:
        names = [f"слой/{i}/重み 🎯%_'\"" for i in range(1000)]
        for step in range(3):
            await store.append(PROJECT, batch(*((name, step, step, i) for i, name in enumerate(names))))
        assert [row.name for row in await store.summary(PROJECT)] == sorted(names)
        assert (await store.read(PROJECT, RUN, names[17])).value.tolist() == [17.0] * 3
        query = SampleQuery(experiments=(RUN,), names=(names[3], names[5], "none"))
        assert [s.name for s in await store.sample(PROJECT, query)] == sorted([names[3], names[5]])

    async def test_names_are_ordered_by_code_point(self, store: ScalarStore) -> None:
        names = ["\U0001f600", "\ufb01", "a", "B", "é", "a/b"]
        await store.append(PROJECT, batch(*((name, 0, 0, 0.0) for name in names)))
        sampled = await store.sample(PROJECT, SampleQuery(experiments=(RUN,)))
        assert [series.name for series in sampled] == sorted(names)

    async def test_concurrent_appends_are_all_kept(self, store: ScalarStore) -> None:
        runs = [ExperimentId(UUID(int=100 + n)) for n in range(10)]
        await asyncio.gather(
            *(
                store.append(PROJECT, curve(np.ones(7), run=run, start=7 * n))
                for n in range(20)
                for run in runs
            )
        )
        assert [row.count for row in await store.summary(PROJECT)] == [140] * 10
        assert (await store.read(PROJECT, runs[3], "loss")).step.tolist() == list(range(140))

    async def test_sample_keeps_spikes_and_marks_gaps(self, store: ScalarStore) -> None:
        value = np.sin(np.arange(50_000.0))
        value[[12_345, 40_001]] = [99.0, np.nan]
        await store.append(PROJECT, curve(value))
        await store.append(PROJECT, curve(np.ones(3), run=OTHER_RUN))
        query = SampleQuery(experiments=(OTHER_RUN, RUN), max_points=400, axis=Axis.TIME)
        short, long = await store.sample(PROJECT, query)
        assert short.experiment_id == OTHER_RUN and len(short) == short.total == 3
        assert 100 < len(long) <= 400 and long.total == 50_000
        assert 99.0 in long.value and len(long.gaps) == 1
        assert abs(long.gaps[0] - 40_001_000) <= 500_000

    @pytest.mark.parametrize("axis", Axis)
    @pytest.mark.parametrize(
        "max_points", [3, 1001, *(pytest.param(many, marks=pytest.mark.slow) for many in (40, 1000))]
    )
    async def test_sample_is_what_the_port_says(
        self, store: ScalarStore, axis: Axis, max_points: int
    ) -> None:
        rng = np.random.default_rng(7)
        logged = [curve(rng.standard_normal(30_000)), curve(rng.standard_normal(9_000), start=25_000)]
        logged += [curve(np.full(300, np.nan), start=34_000), curve(rng.standard_normal(50), start=40_000)]
        for part in logged:
            await store.append(PROJECT, part)
        series = await store.read(PROJECT, RUN, "loss")
        everything = [(s, t, np.float64(v).tobytes()) for s, t, v in points(series)]
        for _ in range(2):
            for start, stop in ((None, None), (1000, 1500), (20_000, None)):
                query = SampleQuery(
                    experiments=(RUN,), max_points=max_points, axis=axis, start=start, stop=stop
                )
                (sampled,) = await store.sample(PROJECT, query)
                low, high = (-1 if start is None else start), (10**9 if stop is None else stop)
                inside = [point for point in everything if low <= point[0] < high]
                assert_sampled(sampled, inside, max_points, axis)
            await store.maintain(10.0)

    async def test_shorter_range_has_finer_buckets(self, store: ScalarStore) -> None:
        await store.append(PROJECT, curve(np.sin(np.arange(100_000.0))))
        query = SampleQuery(experiments=(RUN,), max_points=100)
        (coarse,) = await store.sample(PROJECT, query)
        (fine,) = await store.sample(PROJECT, query.evolve(start=50_000, stop=51_000))
        assert fine.total == 1000 and fine.step.tolist()[0] == 50_000
        assert np.diff(fine.edges).max() < 100 < np.diff(coarse.edges).min()

    async def test_sample_counts_only_points_inside_the_window(self, store: ScalarStore) -> None:
        await store.append(PROJECT, curve(np.arange(100.0)))
        await store.append(PROJECT, curve(np.arange(10.0), name="early"))
        window = TimeWindow(start=20_000, stop=29_000)
        (sampled,) = await store.sample(PROJECT, SampleQuery(experiments=(RUN,), window=window))
        assert (sampled.name, sampled.total) == ("loss", 10)
        assert sampled.step.tolist() == list(range(20, 30))

    async def test_top_ranks_numbers_only_and_breaks_ties_by_experiment(self, store: ScalarStore) -> None:
        for n, value in enumerate([2.0, 5.0, np.nan, 5.0, -np.inf, 1.0]):
            run = ExperimentId(UUID(int=10 - n))
            await store.append(PROJECT, batch(("x", 0, 0, 3.0), ("x", 1, 0, value), run=run))
        best = await store.top(PROJECT, "x", k=3)
        assert [row.experiment_id.int for row in best] == [7, 9, 10]
        worst = await store.top(PROJECT, "x", descending=False)
        assert [row.experiment_id.int for row in worst] == [6, 5, 10, 7, 9]
        by_min = await store.top(PROJECT, "x", by=Ranking.MIN, descending=False, k=2)
        assert [row.min_value for row in by_min] == [1.0, 2.0]
        by_max = await store.top(PROJECT, "x", by=Ranking.MAX)
        assert [row.experiment_id.int for row in by_max] == [7, 9, 5, 6, 8, 10]
        assert await store.top(PROJECT, "x", k=0) == ()

    async def test_summary_narrows_to_experiments_and_names(self, store: ScalarStore) -> None:
        for run in (OTHER_RUN, RUN):
            await store.append(PROJECT, batch(("b", 0, 0, 1.0), ("a", 0, 0, 1.0), run=run))
        rows = await store.summary(PROJECT)
        assert [(r.experiment_id, r.name) for r in rows] == [
            (RUN, "a"),
            (RUN, "b"),
            (OTHER_RUN, "a"),
            (OTHER_RUN, "b"),
        ]
        assert len(await store.summary(PROJECT, experiments=[RUN])) == 2
        assert len(await store.summary(PROJECT, names={"a"})) == 2
        assert await store.summary(PROJECT, experiments=(), names=None) == ()

    async def test_tags_come_by_step_and_arrival_inside_the_window(self, store: ScalarStore) -> None:
        first = StepTags(step=9, names=("x",), tags=("late", "ünï"))
        second = StepTags(step=-1, names=("x", "y"), tags=("a",))
        third = StepTags(step=9, names=(), tags=("b",))
        await store.append(PROJECT, batch(("x", 9, 100, 1.0), ("x", 10, 500, 1.0), tags=[first, second]))
        await store.append(PROJECT, batch(("x", 9, 900, 1.0), tags=[third]))
        assert await store.tags(PROJECT, RUN, OPEN) == (second, first, third)
        assert await store.tags(PROJECT, RUN, TimeWindow(start=101, stop=500)) == (second, first)
        assert await store.tags(PROJECT, RUN, TimeWindow(start=501)) == (third,)
        assert await store.tags(PROJECT, OTHER_RUN, OPEN) == ()

    async def test_tags_without_points_show_in_the_open_window_only(self, store: ScalarStore) -> None:
        alone = StepTags(step=1, names=(), tags=("a",))
        await store.append(PROJECT, batch(tags=[alone]))
        assert await store.tags(PROJECT, RUN, OPEN) == (alone,)
        assert await store.tags(PROJECT, RUN, TimeWindow(start=0)) == ()
        assert await store.summary(PROJECT) == ()

    async def test_deleted_experiment_is_empty_and_refuses_appends(self, store: ScalarStore) -> None:
        tags = [StepTags(step=1, names=("x",), tags=("best",))]
        await store.append(PROJECT, batch(("x", 1, 1, 1.0), tags=tags))
        await store.append(PROJECT, curve(np.ones(9000)))
        await store.append(PROJECT, batch(("x", 1, 1, 2.0), run=OTHER_RUN))
        await store.delete(PROJECT, RUN)
        await store.delete(PROJECT, RUN)
        assert [row.experiment_id for row in await store.summary(PROJECT)] == [OTHER_RUN]
        assert len(await store.read(PROJECT, RUN, "loss")) == 0
        assert await store.tags(PROJECT, RUN, OPEN) == ()
        with pytest.raises(NotFound):
            await store.append(PROJECT, batch(("x", 2, 2, 2.0)))
        await store.append(PROJECT, batch(("x", 2, 2, 2.0), run=OTHER_RUN))

    async def test_experiment_deleted_before_its_first_point_refuses_it(self, store: ScalarStore) -> None:
        await store.delete(PROJECT, RUN)
        with pytest.raises(NotFound):
            await store.append(PROJECT, batch(("x", 1, 1, 1.0)))

    async def test_deleted_project_is_empty_and_refuses_appends(self, store: ScalarStore) -> None:
        elsewhere = ProjectId(uuid4())
        await store.append(PROJECT, curve(np.ones(100)))
        await store.append(elsewhere, curve(np.ones(100)))
        for _ in range(2):
            await store.delete(PROJECT)
            await store.delete(PROJECT, RUN)
        await store.delete(ProjectId(uuid4()))
        assert await store.summary(PROJECT) == ()
        assert len(await store.read(PROJECT, RUN, "loss")) == 0
        with pytest.raises(NotFound):
            await store.append(PROJECT, curve(np.ones(1), run=OTHER_RUN))
        assert len(await store.summary(elsewhere)) == 1

    async def test_refused_batch_leaves_its_neighbours_alone(self, store: ScalarStore) -> None:
        await store.delete(PROJECT, OTHER_RUN)
        answers = await asyncio.gather(
            *(store.append(PROJECT, curve(np.ones(1), run=run)) for run in (RUN, OTHER_RUN, RUN)),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers] == [type(None), NotFound, type(None)]
        assert (await store.summary(PROJECT))[0].count == 2

    async def test_caller_may_write_into_its_arrays_after_append(self, store: ScalarStore) -> None:
        value = np.ones(10)
        await store.append(PROJECT, curve(value))
        value[:] = 7
        assert (await store.read(PROJECT, RUN, "loss")).value.tolist() == [1.0] * 10

    async def test_cursor_gives_each_point_once_whatever_is_folded(self, store: ScalarStore) -> None:
        rng = np.random.default_rng(3)
        cursor, read, logged = None, [], []
        for n in range(40):
            step = rng.integers(-100, 100, int(rng.integers(1, 400)))
            logged += step.tolist()
            await store.append(PROJECT, batch(*(("loss", int(s), n, 0.5) for s in step)))
            if n % 3 == 0:
                news = await store.since(PROJECT, RUN, cursor)
                cursor = news.cursor
                read += news.series[0].step.tolist()
                assert sorted(read) == sorted(logged)
            if n % 7 == 0:
                await store.maintain(10.0)
            if n % 11 == 0:
                await store.settle(PROJECT, RUN)
        news = await store.since(PROJECT, RUN, cursor)
        assert (await store.since(PROJECT, RUN, news.cursor)) == ((), news.cursor)
        assert sum(len(series) for series in (await store.since(PROJECT, RUN)).series) == len(logged)

    async def test_news_name_only_series_that_have_some(self, store: ScalarStore) -> None:
        await store.append(PROJECT, batch(("b", 1, 1, 1.0), ("a", 1, 1, 1.0)))
        everything = await store.since(PROJECT, RUN)
        assert [series.name for series in everything.series] == ["a", "b"]
        await store.append(PROJECT, batch(("b", 9, 9, 9.0), ("c", 2, 2, 2.0)))
        await store.append(PROJECT, batch(("b", 5, 9, 5.0)))
        news = await store.since(PROJECT, RUN, everything.cursor, names=["b", "none"])
        (series,) = news.series
        assert (series.name, points(series)) == ("b", [(5, 9, 5.0), (9, 9, 9.0)])
        news = await store.since(PROJECT, RUN, everything.cursor)
        assert [series.name for series in news.series] == ["b", "c"]

    @pytest.mark.parametrize("cursor", ["", "x", "9.9.9", "ü", "-1", "m99", "e99", "1" * 80])
    async def test_cursor_that_was_not_given_is_invalid(self, store: ScalarStore, cursor: str) -> None:
        await store.append(PROJECT, batch(("x", 1, 1, 1.0)))
        with pytest.raises(Invalid, match="cursor"):
            await store.since(PROJECT, RUN, cursor)

    async def test_cursor_is_short_plain_text(self, store: ScalarStore) -> None:
        await store.append(PROJECT, batch(*((f"n{i}", 1, 1, 1.0) for i in range(500))))
        assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", (await store.since(PROJECT, RUN)).cursor)

    async def test_reader_with_a_cursor_misses_nothing_while_others_write(self, store: ScalarStore) -> None:
        async def write(lane: int) -> None:
            for n in range(40):
                await store.append(PROJECT, batch(("loss", 1000 * lane + n, n, 1.0)))

        writers = [asyncio.create_task(write(lane)) for lane in range(4)]
        cursor, read = None, []
        while len(read) < 160:
            news = await store.since(PROJECT, RUN, cursor)
            cursor = news.cursor
            read += [step for series in news.series for step in series.step.tolist()]
            await asyncio.sleep(0)
        await asyncio.gather(*writers)
        assert sorted(read) == sorted(1000 * lane + n for lane in range(4) for n in range(40))

    @pytest.mark.slow
    async def test_ten_thousand_names_in_one_run(self, store: ScalarStore) -> None:
        names = [f"layer.{i}/grad" for i in range(10_000)]
        for step in range(2):
            await store.append(PROJECT, batch(*((name, step, step, i) for i, name in enumerate(names))))
        assert [row.count for row in await store.summary(PROJECT)] == [2] * 10_000
        await store.settle(PROJECT, RUN)
        assert (await store.read(PROJECT, RUN, names[77])).value.tolist() == [77.0, 77.0]
        assert (await store.stats(PROJECT))[:3] == (1, 10_000, 20_000)

    async def test_settled_run_answers_as_before_and_takes_more(self, store: ScalarStore) -> None:
        await store.append(PROJECT, curve(np.arange(100.0)))
        before = await store.summary(PROJECT), points(await store.read(PROJECT, RUN, "loss"))
        await store.settle(PROJECT, RUN)
        await store.settle(PROJECT, OTHER_RUN)
        assert (await store.summary(PROJECT), points(await store.read(PROJECT, RUN, "loss"))) == before
        assert (await store.stats(PROJECT)).loose == 0
        await store.append(PROJECT, curve(np.ones(1), start=100))
        assert (await store.summary(PROJECT))[0].count == 101
        await store.delete(PROJECT, RUN)
        await store.settle(PROJECT, RUN)
        await store.delete(PROJECT)
        await store.settle(PROJECT, RUN)

    async def test_stats_count_what_is_kept(self, store: ScalarStore) -> None:
        await store.append(PROJECT, batch(("a", 1, 1, 1.0), ("b", 1, 1, 1.0)))
        await store.append(PROJECT, curve(np.ones(5000), run=OTHER_RUN))
        stats = await store.stats(PROJECT)
        assert stats[:3] == (2, 3, 5002) and stats.bytes > 0
        await store.delete(PROJECT, OTHER_RUN)
        assert (await store.stats(PROJECT))[:3] == (1, 2, 2)

    async def test_sound_store_has_no_fault(self, store: ScalarStore) -> None:
        rng = np.random.default_rng(1)
        for n in range(20):
            value = rng.standard_normal(700)
            value[::100] = np.nan
            await store.append(PROJECT, curve(value, start=int(rng.integers(0, 5000)), name=f"n{n % 3}"))
            await store.append(PROJECT, batch(("x", n, n, float(n)), run=OTHER_RUN))
        assert await store.verify(PROJECT) == ()
        await store.maintain(10.0)
        await store.delete(PROJECT, OTHER_RUN)
        assert await store.verify(PROJECT) == ()

    async def test_reads_during_deletes_see_all_or_nothing(self, store: ScalarStore) -> None:
        runs = [ExperimentId(UUID(int=100 + n)) for n in range(8)]
        for run in runs:
            await store.append(PROJECT, curve(np.ones(3000), run=run))
            await store.append(PROJECT, curve(np.ones(30), run=run, start=3000))

        async def read(run: ExperimentId) -> set[int]:
            return {len(await store.read(PROJECT, run, "loss")) for _ in range(5)}

        *_, seen = await asyncio.gather(
            *(store.delete(PROJECT, run) for run in runs),
            asyncio.gather(*(read(run) for run in runs)),
        )
        assert set().union(*seen) <= {0, 3030}
        assert await store.summary(PROJECT) == ()

    async def test_maintaining_changes_no_answer(self, store: ScalarStore) -> None:
        rng = np.random.default_rng(1)
        for _ in range(30):
            steps = rng.integers(-50, 50, 40)
            await store.append(PROJECT, batch(*((f"n{s % 3}", int(s), int(s), rng.random()) for s in steps)))
        before = await store.summary(PROJECT), points(await store.read(PROJECT, RUN, "n1"))
        for _ in range(2):
            await store.maintain(10.0)
            assert (await store.summary(PROJECT), points(await store.read(PROJECT, RUN, "n1"))) == before

    async def test_closed_store_is_unavailable(self, store: ScalarStore) -> None:
        await store.append(PROJECT, curve(np.ones(1)))
        await store.close()
        await store.close()
        with pytest.raises(Unavailable):
            await store.append(PROJECT, curve(np.ones(1)))
        with pytest.raises(Unavailable):
            await store.check()
        with pytest.raises(Unavailable):
            await store.read(PROJECT, RUN, "loss")


class TestEmbeddedScalarStore:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "scalars"

    async def test_everything_is_there_after_reopening(self, folder: Path) -> None:
        first = EmbeddedScalarStore(folder)
        tags = [StepTags(step=1, names=("x",), tags=("best",))]
        sent = batch(("x", 1, 1, 1.5), tags=tags)
        await first.append(PROJECT, sent)
        await first.append(PROJECT, curve(np.arange(10_000.0)))
        await first.delete(PROJECT, OTHER_RUN)
        before = await first.summary(PROJECT)
        await first.close()
        again = EmbeddedScalarStore(folder)
        await again.append(PROJECT, sent)
        assert await again.summary(PROJECT) == before
        assert (await again.read(PROJECT, RUN, "loss")).value.tolist() == list(range(10_000))
        assert await again.tags(PROJECT, RUN, OPEN) == tuple(tags)
        with pytest.raises(NotFound):
            await again.append(PROJECT, curve(np.ones(1), run=OTHER_RUN))
        await again.close()

    async def test_reading_creates_no_file(self, folder: Path) -> None:
        store = EmbeddedScalarStore(folder)
        await store.summary(PROJECT)
        await store.maintain(0.1)
        await store.close()
        assert not folder.exists() or list(folder.iterdir()) == []

    async def test_second_process_writes_into_the_same_file(self, folder: Path) -> None:
        store = EmbeddedScalarStore(folder, synchronous="normal")
        root = Path(__file__).parents[2]
        script = root / "tests" / "service" / "scalars_writer.py"
        environment = {**os.environ, "PYTHONPATH": str(root)}
        command = [sys.executable, str(script), str(folder), "60", "normal"]
        process = await asyncio.to_thread(
            subprocess.Popen, command, stdout=subprocess.DEVNULL, env=environment
        )
        for n in range(60):
            await store.append(PROJECT, curve(np.ones(5), start=5 * n))
        assert await asyncio.to_thread(process.wait, 60) == 0
        assert {row.count for row in await store.summary(PROJECT, names=("loss",))} == {300}
        assert len(await store.summary(PROJECT, names=("loss",))) == 2
        await store.close()

    async def test_deleted_project_is_noticed_by_who_has_it_open(self, folder: Path) -> None:
        here, there = EmbeddedScalarStore(folder), EmbeddedScalarStore(folder)
        await here.append(PROJECT, curve(np.ones(5)))
        assert len(await there.summary(PROJECT)) == 1
        await there.append(PROJECT, curve(np.ones(5), start=5))
        await here.delete(PROJECT)
        assert await there.summary(PROJECT) == ()
        with pytest.raises(NotFound):
            await there.append(PROJECT, curve(np.ones(5)))
        assert not list(folder.glob("*.db"))
        await here.close()
        await there.close()
        assert [path.suffix for path in folder.iterdir()] == [".lock"]

    async def test_damaged_file_is_unavailable_and_named(self, folder: Path) -> None:
        folder.mkdir()
        (folder / f"{PROJECT}.db").write_bytes(b"this is no database" * 1000)
        store = EmbeddedScalarStore(folder)
        with pytest.raises(Unavailable, match=str(PROJECT)):
            await store.append(PROJECT, curve(np.ones(1)))
        with pytest.raises(Unavailable, match=str(PROJECT)):
            await store.summary(PROJECT)
        await store.close()

    async def test_full_queue_refuses_and_says_when_to_retry(self, folder: Path) -> None:
        store = EmbeddedScalarStore(folder, queue_points=10)
        answers = await asyncio.gather(
            *(store.append(PROJECT, curve(np.ones(9))) for _ in range(50)), return_exceptions=True
        )
        refused = [answer for answer in answers if isinstance(answer, TooManyRequests)]
        assert refused and all(answer.retry_after > 0 for answer in refused)
        kept = sum(row.count for row in await store.summary(PROJECT))
        assert kept == 9 * (50 - len(refused))
        await store.close()

    async def test_folder_that_is_a_file_is_unavailable(self, folder: Path) -> None:
        folder.write_text("")
        store = EmbeddedScalarStore(folder)
        with pytest.raises(Unavailable):
            await store.check()
        with pytest.raises(Unavailable):
            await store.append(PROJECT, curve(np.ones(1)))
        await store.close()
