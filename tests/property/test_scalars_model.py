"""Any history of a store answers like a plain list of points."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.adapters.memory.scalars import MemoryScalarStore
from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.domain.errors import NotFound
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.domain.scalars.downsampling import thin
from tracker.domain.scalars.series import Axis, SampleQuery, TimeWindow
from tracker.ports.scalars import ScalarStore

PROJECT = ProjectId(UUID(int=1))
RUNS = [ExperimentId(UUID(int=n)) for n in (1, 2)]
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
    window=st.builds(TimeWindow, start=EDGES, stop=EDGES),
)
HISTORIES = st.lists(
    st.one_of(
        batches(),
        batches(),
        QUERIES,
        st.sampled_from(["read", "maintain", "reopen"]),
        st.tuples(st.just("delete"), st.sampled_from(RUNS)),
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

    def tags_of(self, run: ExperimentId, window: TimeWindow) -> list[StepTags]:
        found = [tags for of, time, tags in self.tags if of == run and inside(time, window)]
        return sorted(found, key=lambda tags: tags.step)

    def sampled(self, query: SampleQuery) -> list[tuple[object, ...]]:
        """What is kept of each series, in the form of :func:`comparable`."""
        found = []
        for run in query.experiments:
            for name in NAMES:
                wanted = query.names is None or name in query.names
                points = self.points.get((run, name), []) if wanted else []
                points = sorted((p for p in points if inside(p[1], query.window)), key=lambda p: p[0])
                if points:
                    step, time = (np.array([point[n] for point in points], np.int64) for n in (0, 1))
                    value = np.frombuffer(b"".join(point[2] for point in points))
                    thinned = thin(step, time, value, query.max_points, query.axis)
                    found.append((run, name, *comparable(thinned)))
        return found


def inside(time: int | None, window: TimeWindow) -> bool:
    if time is None:
        return window == TimeWindow()
    return (window.start is None or window.start <= time) and (window.stop is None or time <= window.stop)


def comparable(thinned) -> tuple[object, ...]:
    columns = thinned.step.tolist(), thinned.time.tolist(), thinned.value.tobytes()
    return (*columns, thinned.total, thinned.gaps.tolist())


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
    for run in RUNS:
        for window in (TimeWindow(), TimeWindow(start=-10, stop=30)):
            assert list(await store.tags(PROJECT, run, window)) == model.tags_of(run, window)


async def agree_on_sample(store: ScalarStore, model: Model, query: SampleQuery) -> None:
    sampled = await store.sample(PROJECT, query)
    assert [(one.experiment_id, one.name, *comparable(one)) for one in sampled] == model.sampled(query)


async def run_history(folder: Path, history: list, *, delete_project: bool) -> None:
    store, model = EmbeddedScalarStore(folder, synchronous="normal"), Model()
    memory = MemoryScalarStore()
    for action in history:
        match action:
            case "read":
                await agree(store, model)
            case "maintain":
                await store.maintain(5.0)
            case "reopen":
                await store.close()
                store = EmbeddedScalarStore(folder, synchronous="normal")
            case SampleQuery():
                await agree_on_sample(store, model, action)
                await agree_on_sample(memory, model, action)
            case ("delete", run):
                await asyncio.gather(store.delete(PROJECT, run), memory.delete(PROJECT, run))
                model.delete([run])
            case _:
                await log(store, memory, model, action)
    if delete_project:
        await asyncio.gather(store.delete(PROJECT), memory.delete(PROJECT))
        model.delete(RUNS)
        await log(store, memory, model, lone_point())
    for answering in (store, memory):
        await agree(answering, model)
        await agree_on_sample(answering, model, SampleQuery(experiments=tuple(RUNS), max_points=100))
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


@settings(max_examples=40, deadline=None)
@given(HISTORIES, st.booleans())
def test_any_history_answers_like_a_list_of_points(history: list, delete_project: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run_history(Path(folder), history, delete_project=delete_project))
