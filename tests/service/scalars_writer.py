"""Run as a process of its own: appends batches of five points and says which are durable."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np

from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch

PROJECT = ProjectId(UUID(int=1))


async def write(folder: Path, batches: int, synchronous: str) -> None:
    store = EmbeddedScalarStore(folder, synchronous=synchronous)
    run = ExperimentId(uuid4())
    for n in range(batches):
        step = np.arange(5 * n, 5 * n + 5)
        batch = ScalarBatch(
            id=BatchId(uuid4()),
            experiment_id=run,
            names=("loss",),
            series=np.zeros(5, np.int64),
            step=step,
            time=step,
            value=step.astype(np.float64),
        )
        await store.append(PROJECT, batch)
        print(run, n, flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
