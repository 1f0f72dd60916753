"""Any history of a store answers like a plain list of points."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.brute_force import assert_sampled
from tests.databases import fresh_postgres_database
from tests.tries import tries
from tracker.adapters.memory.scalars import MemoryScalarStore
from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.adapters.scalars.postgres import PostgresScalarStore
from tracker.domain.errors import NotFound
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.domain.scalars.series import Axis, SampleQuery, TimeWindow
from tracker.ports.scalars import ScalarStore

PROJECT = ProjectId(UUID(int=1))
RUNS = [ExperimentId(UUID(int=n)) for n in (1, 2)]
BRANCHES = [ExperimentId(UUID(int=n)) for n in (11, 12)]
NAMES = ("acc", "loss")
EDGES = st.one_of(st.none(), st.integers(-60, 60))

Point = tuple[int, int, bytes]


@st.composite
def batches(draw: st.DrawFn) -> ScalarBatch:
    size = draw(st.sampled_from([0, 1, 2, 7, 700, 1500, 9000]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    spread = draw(st.sampled_from([1, 50, 2**62]))
    value = rng.standard_normal(size)
    value[rng.random(size) < draw(st.sampled_from([0.0, 0.3, 1.0]))] = np.nan
    return ScalarBatch(
        id=BatchId(UUID(int=draw(st.integers(0, 6)))),
        experiment_id=draw(st.sampled_from(RUNS)),
        names=NAMES,
        series=rng.integers(0, draw(st.integers(1, 2)), size),
        step=rng.integers(-spread, spread, size),
        time=rng.integers(-spread, spread, size),
        value=value,
        tags=tuple(draw(st.lists(TAGS, max_size=3))),
    )


class Branching(NamedTuple):
    """Moves what stands at a step and behind."""

    run: ExperimentId
    into: ExperimentId
    step: int


TAGS = st.builds(
    StepTags,
    step=st.integers(-5, 5),
    names=st.sampled_from([(), ("loss",), NAMES]),
    tags=st.sampled_from([("best",), ("a", "ünï")]),
)
QUERIES = st.builds(
    SampleQuery,
    experiments=st.sampled_from([tuple(RUNS), (RUNS[1], RUNS[0]), (RUNS[0],)]),
    names=st.sampled_from([None, ("loss",), ("none", *NAMES)]),
    max_points=st.sampled_from([None, 1, 3, 4, 50, 1000]),
    axis=st.sampled_from(Axis),
    start=EDGES,
    stop=EDGES,
    window=st.builds(TimeWindow, start=EDGES, stop=EDGES),
)
HISTORIES = st.lists(
    st.one_of(
        batches(),
        batches(),
        QUERIES,
        st.sampled_from(["read", "news", "news", "maintain", "reopen"]),
        st.tuples(st.sampled_from(["delete", "settle"]), st.sampled_from([*RUNS, *RUNS, *BRANCHES])),
        st.builds(Branching, st.sampled_from(RUNS), st.sampled_from(BRANCHES), st.integers(-60, 60)),
    ),
    max_size=12,
)


class Model:
    """The contract in its plainest form."""

    def __init__(self) -> None:
        self.points: dict[tuple[ExperimentId, str], list[Point]] = {}
        self.tags: list[tuple[ExperimentId, int | None, StepTags]] = []
        self.seen: set[tuple[UUID, UUID]] = set()
        self.gone: set[UUID] = set()
        self.branched: set[UUID] = set()

    def append(self, batch: ScalarBatch) -> None:
        if (batch.experiment_id, batch.id) in self.seen:
            return
        self.seen.add((batch.experiment_id, batch.id))
        latest = max(batch.time.tolist(), default=None)
        self.tags += [(batch.experiment_id, latest, tags) for tags in batch.tags]
        for series, step, time, value in zip(
            batch.series, batch.step.tolist(), batch.time.tolist(), batch.value, strict=True
        ):
            key = batch.experiment_id, batch.names[series]
            self.points.setdefault(key, []).append((step, time, value.tobytes()))

    def delete(self, runs: list[ExperimentId]) -> None:
        self.gone.update(runs)
        self.points = {key: points for key, points in self.points.items() if key[0] not in runs}
        self.tags = [entry for entry in self.tags if entry[0] not in runs]

    def branch(self, made: Branching) -> None:
        self.branched.add(made.into)
        for name in NAMES:
            points = self.points.pop((made.run, name), [])
            for run, own in (
                (made.run, [p for p in points if p[0] < made.step]),
                (made.into, [p for p in points if p[0] >= made.step]),
            ):
                if own:
                    self.points[run, name] = own
        self.tags = [
            (made.into if run == made.run and tags.step >= made.step else run, time, tags)
            for run, time, tags in self.tags
        ]

    def tags_of(self, run: ExperimentId, window: TimeWindow) -> list[StepTags]:
        found = [tags for of, time, tags in self.tags if of == run and inside(time, window)]
        return sorted(found, key=lambda tags: tags.step)

    def asked(self, query: SampleQuery) -> dict[tuple[ExperimentId, str], list[Point]]:
        """The points in question of each series that has some, by (step, arrival)."""
        found = {}
        for run in query.experiments:
            for name in NAMES:
                wanted = query.names is None or name in query.names
                points = self.points.get((run, name), []) if wanted else []
                points = [p for p in points if inside(p[1], query.window) and in_range(p[0], query)]
                if points:
                    found[run, name] = sorted(points, key=lambda point: point[0])
        return found


def inside(time: int | None, window: TimeWindow) -> bool:
    if time is None:
        return window == TimeWindow()
    return (window.start is None or window.start <= time) and (window.stop is None or time <= window.stop)


def in_range(step: int, query: SampleQuery) -> bool:
    return (query.start is None or query.start <= step) and (query.stop is None or step < query.stop)


class Reader:
    """Somebody who goes on reading with the cursor of each answer."""

    def __init__(self) -> None:
        self.cursors: dict[ExperimentId, str] = {}
        self.points: dict[tuple[ExperimentId, str], list[Point]] = {}

    def forget(self, made: Branching) -> None:
        """What moved elsewhere, all of which was read before."""
        for name in NAMES:
            own = self.points.get((made.run, name), [])
            self.points[made.run, name] = [point for point in own if point[0] < made.step]

    async def go_on(self, store: ScalarStore, model: Model) -> None:
        for run in RUNS:
            if run in model.gone:
                continue
            news = await store.since(PROJECT, run, self.cursors.get(run))
            self.cursors[run] = news.cursor
            assert [series.name for series in news.series] == sorted(series.name for series in news.series)
            for series in news.series:
                assert len(series) and series.step.tolist() == sorted(series.step.tolist())
                columns = series.step.tolist(), series.time.tolist(), [v.tobytes() for v in series.value]
                self.points.setdefault((run, series.name), []).extend(zip(*columns, strict=True))
            for name in NAMES:
                # Each answer is by step, so all of them together are compared without an order.
                read, logged = (of.points.get((run, name), []) for of in (self, model))
                assert sorted(read) == sorted(logged)


async def agree(store: ScalarStore, model: Model) -> None:
    summary = {(row.experiment_id, row.name): row for row in await store.summary(PROJECT)}
    assert summary.keys() == model.points.keys()
    for (run, name), points in model.points.items():
        wanted = sorted(points, key=lambda point: point[0])
        series = await store.read(PROJECT, run, name)
        columns = series.step.tolist(), series.time.tolist(), (value.tobytes() for value in series.value)
        assert list(zip(*columns, strict=True)) == wanted
        row = summary[run, name]
        last = max(enumerate(points), key=lambda entry: (entry[1][0], entry[1][1], entry[0]))[1]
        assert (row.last_step, row.last_time) == last[:2]
        assert np.float64(row.last_value).tobytes() == last[2]
        assert (row.count, row.first_step) == (len(points), wanted[0][0])
        assert row.modified == max(time for _, time, _ in points)
        numbers = series.value[np.isfinite(series.value)].tolist()
        assert row.non_finite == len(points) - len(numbers)
        assert (row.min_value, row.max_value) == (min(numbers, default=None), max(numbers, default=None))
        part = await store.read(PROJECT, run, name, start=-10, stop=10)
        assert part.step.tolist() == [step for step, *_ in wanted if -10 <= step < 10]
    for run in [*RUNS, *BRANCHES]:
        for window in (TimeWindow(), TimeWindow(start=-10, stop=30)):
            assert list(await store.tags(PROJECT, run, window)) == model.tags_of(run, window)


async def agree_on_sample(store: ScalarStore, model: Model, query: SampleQuery) -> None:
    sampled = await store.sample(PROJECT, query)
    asked = model.asked(query)
    assert [(one.experiment_id, one.name) for one in sampled] == list(asked)
    for one, points in zip(sampled, asked.values(), strict=True):
        assert_sampled(one, points, query.max_points, query.axis)


class Comparison:
    """A store that can be reopened, the memory store and the model under the same history."""

    def __init__(self, open_store: Callable[[], ScalarStore]) -> None:
        self.open_store = open_store
        self.store = open_store()
        self.memory = MemoryScalarStore()
        self.model = Model()
        self.readers = Reader(), Reader()

    async def take(self, action: object) -> None:
        match action:
            case "read":
                await agree(self.store, self.model)
            case "news":
                await self.read_news()
            case "maintain":
                await self.store.maintain(5.0)
            case "reopen":
                await self.store.close()
                self.store = self.open_store()
            case SampleQuery():
                for store in (self.store, self.memory):
                    await agree_on_sample(store, self.model, action)
            case _:
                await self.change(action)

    async def change(self, action: object) -> None:
        match action:
            case ScalarBatch():
                await log(self.store, self.memory, self.model, action)
            case Branching():
                await self.branch(action)
            case ("settle", run):
                await self.store.settle(PROJECT, run)
            case ("delete", run):
                await self.delete(run, [run])

    async def delete(self, run: ExperimentId | None, gone: list[ExperimentId]) -> None:
        await asyncio.gather(self.store.delete(PROJECT, run), self.memory.delete(PROJECT, run))
        self.model.delete(gone)

    async def branch(self, made: Branching) -> None:
        is_done = made.into in self.model.branched or made.into in self.model.gone
        if not is_done and made.run in self.model.gone:
            for store in (self.store, self.memory):
                with pytest.raises(NotFound):
                    await store.branch(PROJECT, made.run, step=made.step, into=made.into)
            return
        await self.read_news()
        for store in (self.store, self.memory):
            await store.branch(PROJECT, made.run, step=made.step, into=made.into)
        if not is_done:
            self.model.branch(made)
            for reader in self.readers:
                reader.forget(made)

    async def read_news(self) -> None:
        for store, reader in zip((self.store, self.memory), self.readers, strict=True):
            await reader.go_on(store, self.model)


async def run_history(open_store: Callable[[], ScalarStore], history: list, *, delete_project: bool) -> None:
    all_three = Comparison(open_store)
    for action in history:
        await all_three.take(action)
    store, memory, model = all_three.store, all_three.memory, all_three.model
    if delete_project:
        await all_three.delete(None, [*RUNS, *BRANCHES])
        await log(store, memory, model, lone_point())
    assert await store.verify(PROJECT) == ()
    await all_three.read_news()
    for answering in (store, memory):
        await agree(answering, model)
        await agree_on_sample(answering, model, SampleQuery(experiments=(*RUNS, *BRANCHES), max_points=100))
    await store.close()


async def log(store: ScalarStore, memory: ScalarStore, model: Model, batch: ScalarBatch) -> None:
    if batch.experiment_id not in model.gone:
        await asyncio.gather(store.append(PROJECT, batch), memory.append(PROJECT, batch))
        model.append(batch)
        return
    for refusing in (store, memory):
        with pytest.raises(NotFound):
            await refusing.append(PROJECT, batch)


def lone_point() -> ScalarBatch:
    zero = np.zeros(1, np.int64)
    return ScalarBatch(
        id=BatchId(UUID(int=99)),
        experiment_id=RUNS[0],
        names=("loss",),
        series=zero,
        step=zero,
        time=zero,
        value=np.ones(1),
    )


@settings(max_examples=tries(20), deadline=None)
@given(HISTORIES, st.booleans())
def test_any_history_answers_like_a_list_of_points(history: list, delete_project: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:

        def embedded() -> ScalarStore:
            return EmbeddedScalarStore(Path(folder), synchronous="normal")

        asyncio.run(run_history(embedded, history, delete_project=delete_project))


@settings(max_examples=tries(10), deadline=None)
@given(HISTORIES, st.booleans())
def test_any_history_in_postgresql_answers_like_a_list_of_points(
    postgres_server: str, history: list, delete_project: bool
) -> None:
    url = fresh_postgres_database(postgres_server, f"h_{uuid4().hex[:12]}")
    asyncio.run(run_history(lambda: PostgresScalarStore(url), history, delete_project=delete_project))


@settings(max_examples=tries(10), deadline=None)
@given(HISTORIES, st.booleans())
def test_any_history_in_clickhouse_answers_like_a_list_of_points(
    clickhouse_folder: Path, history: list, delete_project: bool
) -> None:
    from tracker.adapters.scalars.clickhouse import ClickHouseScalarStore  # its driver is an extra

    url = f"chdb://{clickhouse_folder}?database=h_{uuid4().hex[:12]}"
    asyncio.run(run_history(lambda: ClickHouseScalarStore(url), history, delete_project=delete_project))
