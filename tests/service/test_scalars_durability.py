"""What was acknowledged survives a process that dies at any moment."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.domain.ids import ExperimentId, ProjectId

PROJECT = ProjectId(UUID(int=1))
ROOT = Path(__file__).parents[2]
WRITER = Path(__file__).parent / "scalars_writer.py"


@pytest.mark.parametrize("synchronous", ["full", "normal"])
@pytest.mark.slow
async def test_killed_writer_loses_nothing_it_acknowledged(tmp_path: Path, synchronous: str) -> None:
    for acknowledged in random.Random(5).sample(range(1, 300), 3):
        run, last = await asyncio.to_thread(write_and_kill, tmp_path, synchronous, acknowledged)
        store = EmbeddedScalarStore(tmp_path)
        steps = (await store.read(PROJECT, run, "loss")).step.tolist()
        (row,) = await store.summary(PROJECT, experiments=[run])
        await store.close()
        assert steps == list(range(len(steps))) and len(steps) % 5 == 0
        assert len(steps) >= 5 * (last + 1)
        assert (row.count, row.last_value) == (len(steps), steps[-1])


def write_and_kill(folder: Path, synchronous: str, after: int) -> tuple[ExperimentId, int]:
    command = [sys.executable, str(WRITER), str(folder), "100000", synchronous]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        lines = [process.stdout.readline() for _ in range(after)]
        process.kill()
        run, last = lines[-1].split()
    return ExperimentId(UUID(run)), int(last)
