"""The scalars service is killed and started again while trackers write to it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from tests.faulty import closed_port
from tests.scalar_batches import PROJECT, RUN, curve
from tracker.adapters.scalars.http import HttpScalarStore, Patience
from tracker.domain.errors import TooManyRequests, Unavailable

pytestmark = pytest.mark.slow  # kills processes for seconds

ROOT = Path(__file__).parents[2]
WRITERS, KILLS, BATCHES_BETWEEN = 8, 3, 60


class Service:
    """A process of ``tracker scalars-server`` that keeps its address over its deaths."""

    def __init__(self, folder: Path) -> None:
        self.port = closed_port()
        self._folder = folder

    async def start(self) -> None:
        command = ["-m", "tracker", "scalars-server", "--port", str(self.port), "--data", str(self._folder)]
        clean = {key: value for key, value in os.environ.items() if not key.startswith("SCALARS_")}
        environ = {**clean, "PYTHONPATH": str(ROOT), "TRACKER_LOG_LEVEL": "error"}
        self._process = subprocess.Popen([sys.executable, *command], env=environ)
        async with asyncio.timeout(30):
            while not await asyncio.to_thread(self._listens):
                assert self._process.poll() is None
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(self._process.wait, 30)

    async def stop(self) -> int:
        self._process.terminate()
        return await asyncio.to_thread(self._process.wait, 30)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    made = Service(tmp_path)
    await made.start()
    yield made
    assert await made.stop() in (0, -signal.SIGTERM)


async def test_no_acknowledged_batch_is_lost_and_none_is_there_twice(service: Service) -> None:
    store = HttpScalarStore(
        f"http://127.0.0.1:{service.port}", patience=Patience(read=5.0, write=5.0, tries=3, backoff=0.02)
    )
    acknowledged: list[int] = []
    unsure: set[int] = set()
    numbers = iter(range(10**9))
    done = asyncio.Event()

    async def write() -> None:
        while not done.is_set():
            step = next(numbers)
            batch = curve(np.ones(1), start=step)
            unsure.add(step)
            while True:
                try:
                    await store.append(PROJECT, batch)
                    break
                except (Unavailable, TooManyRequests) as error:
                    await asyncio.sleep(min(error.retry_after, 0.2))
            acknowledged.append(step)
            unsure.discard(step)

    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        for _ in range(WRITERS):
            group.create_task(write())
        for _ in range(KILLS):
            enough = len(acknowledged) + BATCHES_BETWEEN
            while len(acknowledged) < enough:
                await asyncio.sleep(0.01)
            await service.kill()
            await asyncio.sleep(0.3)
            await service.start()
        enough = len(acknowledged) + BATCHES_BETWEEN
        while len(acknowledged) < enough:
            await asyncio.sleep(0.01)
        done.set()
    assert not unsure
    found = (await store.read(PROJECT, RUN, "loss")).step.tolist()
    assert found == sorted(acknowledged)
    await store.close()
