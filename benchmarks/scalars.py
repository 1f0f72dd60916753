"""Measures the embedded store of time series: python benchmarks/scalars.py [folder]."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import numpy as np

from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch
from tracker.domain.scalars.series import SampleQuery

PROJECT = ProjectId(uuid4())
MILLION = 1_000_000
_T = TypeVar("_T")


def curve(run: ExperimentId, size: int, names: int = 1) -> ScalarBatch:
    """Noise around a curve, as one batch."""
    step = np.repeat(np.arange(size // names), names)
    return ScalarBatch(
        id=BatchId(uuid4()),
        experiment_id=run,
        names=tuple(f"metric/{n}" for n in range(names)),
        series=np.tile(np.arange(names), size // names),
        step=step,
        time=1_700_000_000_000_000 + step * 100_000,
        value=np.exp(-step / MILLION) + np.random.default_rng(1).normal(0, 0.01, len(step)),
    )


async def timed(work: Awaitable[_T]) -> tuple[float, _T]:
    """Seconds it took, and the answer."""
    begin = time.perf_counter()
    answer = await work
    return time.perf_counter() - begin, answer


def size_of(folder: Path) -> int:
    """Bytes of the files, their logs too."""
    return sum(path.stat().st_size for path in folder.iterdir())


async def measure(folder: Path) -> None:
    """Prints one line for each number."""
    store = EmbeddedScalarStore(folder)
    run = ExperimentId(uuid4())
    seconds, _ = await timed(store.append(PROJECT, curve(run, MILLION)))
    print(f"bulk append        {1 / seconds:8.2f} M points/s")
    print(f"size               {size_of(folder) / MILLION:8.2f} bytes/point")
    seconds, series = await timed(store.read(PROJECT, run, "metric/0"))
    print(f"read {len(series)}       {seconds * 1000:8.1f} ms")
    seconds, _ = await timed(store.sample(PROJECT, SampleQuery(experiments=(run,))))
    print(f"sample to 1000     {seconds * 1000:8.1f} ms")

    async def log(batches: int) -> None:
        own = ExperimentId(uuid4())
        for _ in range(batches):
            await store.append(PROJECT, curve(own, 20, names=20))

    for runs, batches in ((1, 200), (100, 20)):
        seconds, _ = await timed(asyncio.gather(*(log(batches) for _ in range(runs))))
        print(f"durable, {runs:3d} runs  {runs * batches / seconds:8.0f} batches of 20 points/s")
    await store.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as place:
        asyncio.run(measure(Path(place)))
