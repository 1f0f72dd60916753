"""Run as a process of its own: meets a limit of the file size, as a full disk would be met."""

from __future__ import annotations

import asyncio
import resource
import signal
import sys
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np

from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.domain.errors import Unavailable
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch

PROJECT = ProjectId(UUID(int=1))
RUN = ExperimentId(UUID(int=7))
SIZE = 2000
MANY = 200


def batch(number: int) -> ScalarBatch:
    step = np.arange(number * SIZE, (number + 1) * SIZE)
    return ScalarBatch(
        id=BatchId(uuid4()),
        experiment_id=RUN,
        names=("noise",),
        series=np.zeros(SIZE, np.int64),
        step=step,
        time=step,
        value=np.random.default_rng(number).standard_normal(SIZE),
    )


async def meet_the_limit(folder: Path) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit then fails with EFBIG
    store = EmbeddedScalarStore(folder)
    limit(1 << 20)
    kept = await append_until_refused(store)
    print("refused")
    await expect(store, kept)
    print("intact")
    limit(None)
    await store.append(PROJECT, batch(kept))
    await expect(store, kept + 1)
    await store.close()
    again = EmbeddedScalarStore(folder)
    await expect(again, kept + 1)
    print("grown")
    await meet_it_in_upkeep(again, kept + 1)
    await again.close()


async def meet_it_in_upkeep(store: EmbeddedScalarStore, batches: int) -> None:
    """Folding and maintenance have no room at all: not a page can be written."""
    for part in np.array_split(np.arange(SIZE), 10):
        await store.append(PROJECT, slice_of(batch(batches), part))
    limit(4096)
    append = store.append(PROJECT, batch(batches + 1))
    for upkeep in (store.settle(PROJECT, RUN), store.maintain(10.0), append):
        try:
            await upkeep
        except Unavailable:
            continue
        raise AssertionError("there was room")
    await expect(store, batches + 1)
    print("kept")
    limit(None)
    await store.settle(PROJECT, RUN)
    await store.maintain(10.0)
    await store.append(PROJECT, batch(batches + 1))
    await expect(store, batches + 2)
    print("kept-up")


def limit(size: int | None) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard if size is None else size, hard))


def slice_of(whole: ScalarBatch, rows: np.ndarray) -> ScalarBatch:
    columns = {name: getattr(whole, name)[rows] for name in ("series", "step", "time", "value")}
    return whole.evolve(id=BatchId(uuid4()), **columns)


async def append_until_refused(store: EmbeddedScalarStore) -> int:
    for number in range(MANY):
        try:
            await store.append(PROJECT, batch(number))
        except Unavailable:
            return number
    raise AssertionError("the limit was never met")


async def expect(store: EmbeddedScalarStore, batches: int) -> None:
    series = await store.read(PROJECT, RUN, "noise")
    assert series.step.tolist() == list(range(batches * SIZE))
    wanted = b"".join(batch(number).value.tobytes() for number in range(batches))
    assert series.value.tobytes() == wanted
    assert batches > 0
    assert await store.verify(PROJECT) == ()


if __name__ == "__main__":
    asyncio.run(meet_the_limit(Path(sys.argv[1])))
