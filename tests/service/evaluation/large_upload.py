"""``python -m tests.service.evaluation.large_upload FOLDER MEGABYTES KIND``: uploads that much, and prints by
how many MB the memory of this process has grown."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import AsyncIterator

from tracker.container import build, start, stop
from tracker.domain.identity.actor import local_actor
from tracker.settings import Settings

ROW = "some words of a text that is long enough " * 24


async def rows(megabytes: int, kind: str) -> AsyncIterator[bytes]:
    line = (
        f"{ROW},short\n" if kind == "csv" else f"{json.dumps({'examples': ROW, 'ground_truth': 'short'})}\n"
    )
    chunk = (line * (65_536 // len(line))).encode()
    if kind == "csv":
        yield b"examples,ground_truth\n"
    for _ in range(megabytes * 1_000_000 // len(chunk)):
        yield chunk


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def main(folder: str, megabytes: int, kind: str) -> None:
    container = build(Settings.load(data=folder, environ={"TRACKER_MAX_DATASET": "600000000"}))
    await start(container)
    try:
        actor = local_actor("test")
        await container.datasets().upload(actor, f"small.{kind}", rows(1, kind))
        before = peak()
        dataset = await container.datasets().upload(actor, f"large.{kind}", rows(megabytes, kind))
        _, blob = await container.datasets().open(actor, dataset.id)
        size = 0
        async for piece in blob.read():
            size += len(piece)
        print(json.dumps({"grown": peak() - before, "size": size, "rows": dataset.coverage.rows}))
    finally:
        await stop(container)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
