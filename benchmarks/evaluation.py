"""Inference beside a bare httpx client, in the same run against the same endpoint.

Run: ``python benchmarks/evaluation.py [--rows 10000] [--slots 16] [--rounds 3]``. An endpoint in a process of
its own answers in 1 ms. A bare ``httpx.AsyncClient`` sends every row and parses each answer; then the
worker's inference does the same rows at the desk of a SQLite file (durable, ``synchronous=full``), where each
outcome and answer is kept before its slot goes on, and leaves the result. Each number is the median of the
rounds.
"""

# ruff: noqa: E402

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

sys.path[0] = str(Path(__file__).parents[1])  # the http.py of this folder would hide Python's own

import httpx

from tests.endpoint.live import EndpointProcess
from tracker.adapters.language_models.lanes import transport_for
from tracker.container import Container, build, opened_desk, start, stop
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.domain.evaluation.jobs.passes import JobPass, digest_of
from tracker.domain.evaluation.tasks import TaskDefinition, system_prompt
from tracker.domain.identity.actor import local_actor
from tracker.settings import Settings
from tracker.worker.inference import run
from tracker.worker.lease_keeper import LeaseKeeper

HANDLE = "of this benchmark, and of no other use"
WORDS = "the quick brown fox jumps over the lazy dog and runs away from all the hunters of the wood "


def rows_of(count: int) -> list[str]:
    """Texts of 500 characters, all different."""
    return [f"{number}: {WORDS * 6}"[:500] for number in range(count)]


class Times(NamedTuple):
    """Seconds: of the clock, and of the processor."""

    wall: float
    used: float


class Watch:
    """Begins when it is made."""

    def __init__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def times(self) -> Times:
        """Since then."""
        return Times(time.perf_counter() - self._began[0], time.process_time() - self._began[1])


async def bare(base_url: str, rows: list[str], slots: int) -> Times:
    """What a script would do: post, and parse the answer."""
    limits = httpx.Limits(max_connections=slots, max_keepalive_connections=slots)
    prompt = system_prompt(TaskDefinition())
    left = iter(rows)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:

        async def slot() -> None:
            for text in left:
                messages = [{"role": "system", "content": prompt}, {"role": "user", "content": text}]
                body = {"model": "small", "messages": messages, "max_tokens": 1024, "temperature": 0.5}
                answer = await client.post(f"{base_url}/chat/completions", json=body)
                assert answer.json()["choices"][0]["message"]["content"]

        watch = Watch()
        await asyncio.gather(*(slot() for _ in range(slots)))
        return watch.times()


async def worker(base_url: str, rows: list[str], slots: int) -> Times:
    """All of an inference at the desk of a database; how long it takes once it was admitted."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {"DATABASE_URL": f"sqlite:///{folder}/tracker.db", "TRACKER_DATA": folder}
        container = build(Settings.load(environ=environ))
        await start(container)
        try:
            job = await claimed_job(container, base_url, rows, slots)
            desk = await opened_desk(container, job.id, job.attempt)
            admission = await desk.admit(HANDLE)
            watch = Watch()
            async with LeaseKeeper(desk) as lease:
                await run(desk, admission, lease)
            times = watch.times()
            assert len(await desk.answered()) == len(rows)
        finally:
            await stop(container)
    return times


async def claimed_job(container: Container, base_url: str, rows: list[str], slots: int) -> Job:
    """An inference whose first attempt may begin."""
    actor = local_actor("benchmark")
    dataset = await container.datasets().upload(actor, "rows.jsonl", chunks_of(rows))
    job = await container.jobs().create(
        actor,
        JobKind.INFERENCE,
        name="benchmark",
        dataset_id=dataset.id,
        config={"model": "small", "provider": "openai-compatible", "base_url": base_url},
        batch_size=slots,
    )
    async with container.units().writing() as unit:
        now = container.clock().now()
        job = await unit.jobs.save((await unit.jobs.get(job.id)).claim("benchmark", at=now, rules=Rules()))
        shown = {"handle_digest": digest_of(HANDLE), "sent_by": actor.user_id}
        await unit.job_passes.put(JobPass(job_id=job.id, attempt=job.attempt, **shown))
        await unit.commit()
    return job


async def chunks_of(rows: list[str]) -> AsyncIterator[bytes]:
    """A file of them."""
    for text in rows:
        yield json.dumps({"examples": text}).encode() + b"\n"


def measure(count: int, slots: int, rounds: int) -> None:
    """Measures and prints a table."""
    rows = rows_of(count)
    found: dict[str, list[Times]] = {"bare httpx": [], "inference": []}
    transport_for(httpx.URL("http://localhost"), 1)  # what spares httpx some time spares the bare one too
    with EndpointProcess(seconds=0.001) as endpoint:
        for _ in range(rounds):
            found["bare httpx"].append(asyncio.run(bare(endpoint.base_url, rows, slots)))
            found["inference"].append(asyncio.run(worker(endpoint.base_url, rows, slots)))
    print(f"{f'{count:,} rows, {slots} at once':<40}{'rows/s':>8}{'us/row':>9}{'of bare':>9}")
    shares = [ours.wall / theirs.wall for theirs, ours in zip(*found.values(), strict=True)]
    for title, times in found.items():
        wall, used = (statistics.median(column) for column in zip(*times, strict=True))
        share = 1.0 if title == "bare httpx" else 1 / statistics.median(shares)
        print(f"{title:<40}{count / wall:>8.0f}{used / count * 1e6:>9.0f}{share:>9.0%}")


def profiled(count: int, slots: int) -> None:
    """Where the time of an inference goes."""
    rows = rows_of(count)
    with EndpointProcess(seconds=0.001) as endpoint, cProfile.Profile() as profile:
        asyncio.run(worker(endpoint.base_url, rows, slots))
    pstats.Stats(profile).sort_stats("tottime").print_stats(35)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    if given.profile:
        profiled(given.rows, given.slots)
    else:
        measure(given.rows, given.slots, given.rounds)
