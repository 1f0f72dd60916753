"""Run as a process of its own: appends batches to PostgreSQL until each is taken, and says which are.

Arguments: URL, id of the experiment, lane, how many batches. A batch has five points of each of two series,
at steps that no other batch and lane has.
"""

from __future__ import annotations

import asyncio
import sys
from uuid import UUID, uuid4

import numpy as np

from tracker.adapters.scalars.postgres import PostgresScalarStore
from tracker.domain.errors import Unavailable
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch

PROJECT = ProjectId(UUID(int=1))
POINTS, LANE_STEPS = 5, 10_000_000


async def write(url: str, run: ExperimentId, lane: int, batches: int) -> None:
    store = PostgresScalarStore(url)
    for n in range(batches):
        step = np.tile(lane * LANE_STEPS + np.arange(POINTS * n, POINTS * (n + 1)), 2)
        batch = ScalarBatch(
            id=BatchId(uuid4()),
            experiment_id=run,
            names=("acc", "loss"),
            series=np.repeat([0, 1], POINTS),
            step=step,
            time=step,
            value=step.astype(np.float64),
        )
        await append(store, batch)
        print(n, flush=True)
    await store.close()


async def append(store: PostgresScalarStore, batch: ScalarBatch) -> None:
    while True:
        try:
            return await store.append(PROJECT, batch)
        except Unavailable:
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], ExperimentId(UUID(sys.argv[2])), int(sys.argv[3]), int(sys.argv[4])))
