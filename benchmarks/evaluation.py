"""Inference beside a bare httpx client, in the same run against the same endpoint.

Run: ``python benchmarks/evaluation.py [--rows 10000] [--slots 16] [--rounds 3]``. An endpoint in a process of
its own answers in 1 ms. A bare ``httpx.AsyncClient`` sends every row and parses each answer; then the
worker's inference does the same rows, keeping every outcome and answer in a SQLite file (durable,
``synchronous=full``) before its slot goes on, and leaves the result. Each number is the median of the rounds.
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
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # the http.py of this folder would hide Python's own

import httpx

from tests.desks import MemoryDesk, a_dataset, an_admission
from tests.endpoint.live import EndpointProcess
from tracker.adapters.language_models.opened import opened_model
from tracker.domain.evaluation.models import ModelReference
from tracker.domain.evaluation.tasks import TaskDefinition, system_prompt
from tracker.worker.inference import infer
from tracker.worker.lease_keeper import LeaseKeeper

WORDS = "the quick brown fox jumps over the lazy dog and runs away from all the hunters of the wood "


def rows_of(count: int) -> list[str]:
    """Texts of 500 characters, all different."""
    return [f"{number}: {WORDS * 6}"[:500] for number in range(count)]


async def bare(base_url: str, rows: list[str], slots: int) -> None:
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

        await asyncio.gather(*(slot() for _ in range(slots)))


async def worker(base_url: str, rows: list[str], slots: int) -> None:
    """All of an inference, with a desk in memory."""
    content = "".join(json.dumps({"examples": text}) + "\n" for text in rows).encode()
    admission = an_admission(a_dataset(content), {"base_url": base_url}, batch_size=slots)
    desk = MemoryDesk(content)
    reference = ModelReference(name="small", provider="vllm", base_url=base_url)
    model = opened_model(reference, at_once=slots)
    async with LeaseKeeper(desk) as lease:
        await infer(desk, admission, lease, model)
    await model.close()
    assert len(desk.rows) == len(rows) and "result" in desk.files


def seconds(work: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """How long it takes, and how much of the processor."""
    began, used = time.perf_counter(), time.process_time()
    asyncio.run(work())  # type: ignore[arg-type]
    return time.perf_counter() - began, time.process_time() - used


def run(count: int, slots: int, rounds: int) -> None:
    """Measures and prints a table."""
    rows = rows_of(count)
    found: dict[str, list[tuple[float, float]]] = {"bare httpx": [], "inference": []}
    with EndpointProcess(seconds=0.001) as endpoint:
        for _ in range(rounds):
            found["bare httpx"].append(seconds(lambda: bare(endpoint.base_url, rows, slots)))
            found["inference"].append(seconds(lambda: worker(endpoint.base_url, rows, slots)))
    print(f"{count:,} rows, {slots} at once{'':<16}{'rows/s':>8}{'us/row':>9}{'of bare':>9}")
    best = statistics.median(wall for wall, _ in found["bare httpx"])
    for title, times in found.items():
        wall, used = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{title:<40}{count / wall:>8.0f}{used / count * 1e6:>9.0f}{best / wall:>9.0%}")


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
        run(given.rows, given.slots, given.rounds)
