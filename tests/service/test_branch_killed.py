"""A process is killed while it moves points to a branch."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from tests.scalar_batches import PROJECT, RUN, curve, points
from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.domain.ids import ExperimentId

pytestmark = pytest.mark.slow  # starts processes

ROUNDS, POINTS = 8, 400_000

BRANCHING = f"""
import asyncio, sys
from pathlib import Path
from uuid import UUID
from tracker.adapters.scalars.embedded import EmbeddedScalarStore
async def main():
    store = EmbeddedScalarStore(Path(sys.argv[1]), synchronous="normal")
    await store.stats(UUID("{PROJECT}"))
    print(flush=True)
    into = UUID(int=int(sys.argv[3]))
    await store.branch(UUID("{PROJECT}"), UUID("{RUN}"), step=int(sys.argv[2]), into=into)
    print("moved", flush=True)
    await store.close()
asyncio.run(main())
"""


async def test_either_all_points_moved_or_none_and_the_next_try_moves_them(tmp_path: Path) -> None:
    first = EmbeddedScalarStore(tmp_path, synchronous="normal")
    await first.append(PROJECT, curve(np.random.default_rng(1).standard_normal(POINTS)))
    await first.close()
    chance = random.Random(7)
    left = POINTS
    for round_ in range(ROUNDS):
        into = ExperimentId(UUID(int=1000 + round_))
        step = left - left // (ROUNDS - round_ + 1)
        command = [sys.executable, "-c", BRANCHING, str(tmp_path), str(step), str(into.int)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.random() * 0.15)
            process.kill()
            was_told = "moved" in process.stdout.read()
        store = EmbeddedScalarStore(tmp_path, synchronous="normal")
        counts = {row.experiment_id: row.count for row in await store.summary(PROJECT, [RUN, into])}
        assert counts in ({RUN: left}, {RUN: step, into: left - step})
        assert not was_told or into in counts
        await store.branch(PROJECT, RUN, step=step, into=into)
        (row,) = await store.summary(PROJECT, [into])
        assert (row.count, row.first_step) == (left - step, step)
        assert await store.verify(PROJECT) == ()
        await store.close()
        left = step
    store = EmbeddedScalarStore(tmp_path, synchronous="normal")
    rows = await store.summary(PROJECT)
    assert sum(row.count for row in rows) == POINTS
    assert points(await store.read(PROJECT, RUN, "loss"))[-1][0] == left - 1
    await store.close()
