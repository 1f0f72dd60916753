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

from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.domain.errors import NotFound
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch

PROJECT = ProjectId(UUID(int=1))
RUNS = [ExperimentId(UUID(int=n)) for n in (1, 2)]
NAMES = ("loss", "acc")


@st.composite
def batches(draw: st.DrawFn) -> ScalarBatch:
    size = draw(st.sampled_from([1, 2, 7, 700, 1500, 9000]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    spread = draw(st.sampled_from([1, 50, 2**62]))
    value = rng.standard_normal(size)
    value[rng.random(size) < draw(st.sampled_from([0.0, 0.3]))] = np.nan
    return ScalarBatch(
        id=BatchId(UUID(int=draw(st.integers(0, 6)))),
        experiment_id=draw(st.sampled_from(RUNS)),
        names=NAMES,
        series=rng.integers(0, draw(st.integers(1, 2)), size),
        step=rng.integers(-spread, spread, size),
        time=rng.integers(-spread, spread, size),
        value=value,
        tags=(),
    )


ACTIONS = st.one_of(
    batches(),
    st.sampled_from(["maintain", "reopen"]),
    st.tuples(st.just("delete"), st.sampled_from(RUNS)),
)


class Model:
    """The contract in its plainest form."""

    def __init__(self) -> None:
        self.points: dict[tuple[UUID, str], list[tuple[int, int, bytes]]] = {}
        self.seen: set[tuple[UUID, UUID]] = set()
        self.gone: set[UUID] = set()

    def append(self, batch: ScalarBatch) -> None:
        if (batch.experiment_id, batch.id) in self.seen:
            return
        self.seen.add((batch.experiment_id, batch.id))
        for series, step, time, value in zip(
            batch.series, batch.step.tolist(), batch.time.tolist(), batch.value, strict=True
        ):
            key = batch.experiment_id, batch.names[series]
            self.points.setdefault(key, []).append((step, time, value.tobytes()))

    def delete(self, run: ExperimentId) -> None:
        self.gone.add(run)
        self.points = {key: points for key, points in self.points.items() if key[0] != run}


async def agree(store: EmbeddedScalarStore, model: Model) -> None:
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
        part = await store.read(PROJECT, run, name, start=-10, stop=10)
        assert part.step.tolist() == [step for step, *_ in wanted if -10 <= step < 10]


async def run_history(folder: Path, history: list) -> None:
    store, model = EmbeddedScalarStore(folder, synchronous="normal"), Model()
    for action in history:
        if action == "maintain":
            await store.maintain(5.0)
        elif action == "reopen":
            await store.close()
            store = EmbeddedScalarStore(folder, synchronous="normal")
        elif isinstance(action, tuple):
            await store.delete(PROJECT, action[1])
            model.delete(action[1])
        elif action.experiment_id in model.gone:
            with pytest.raises(NotFound):
                await store.append(PROJECT, action)
        else:
            await store.append(PROJECT, action)
            model.append(action)
    await agree(store, model)
    await store.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(ACTIONS, max_size=12))
def test_any_history_answers_like_a_list_of_points(history: list) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run_history(Path(folder), history))
