"""A server with thousands of jobs: how long it takes to come back, and to list them.

Run: ``python benchmarks/jobs_server.py [--finished 1000] [--listed 10000] [--rounds 20]``. A SQLite file is
given finished jobs; a server runs ten more at an endpoint of its own and is killed with SIGKILL. Timed is how
long the next one takes until ``/api/health/ready`` answers 200, beside one with an empty folder; then all ten
must have succeeded. Then pages of many jobs are asked for over HTTP, on one connection. Medians.
"""

# ruff: noqa: E402

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # the http.py of this folder would hide Python's own

import httpx

from tests.e2e.processes import ServerProcess
from tests.endpoint.live import EndpointProcess
from tests.evaluation_factories import a_job, running
from tests.factories import NOON
from tracker.container import build, start, stop
from tracker.domain.identity.actor import local_actor
from tracker.domain.ids import DatasetId
from tracker.settings import Settings

RUNNING, ROWS, SECONDS = 10, 60, 0.2
PAGES = ("limit=100", "limit=100&skip=9900", "limit=1000", "limit=100&job_types=evaluator")


async def finish_jobs(folder: Path, count: int, names: str) -> None:
    """Puts finished jobs into the database of a folder."""
    environ = {"DATABASE_URL": f"sqlite:///{folder}/tracker.db", "TRACKER_DATA": str(folder)}
    container = build(Settings.load(environ=environ))
    await start(container)
    try:
        actor = local_actor("benchmark")
        rows = b'{"examples": "a text of %s"}\n' % names.encode()
        dataset = await container.datasets().upload(actor, f"{names}.jsonl", one(rows))
        async with container.units().writing() as unit:
            project = await unit.projects.get(dataset.project_id)
            for number in range(count):
                at = NOON + timedelta(seconds=number)
                job = a_job(project, at=at, name=f"{names} {number}", dataset_id=DatasetId(dataset.id))
                await unit.jobs.add(running(job, at=at).succeed(at=at))
            await unit.commit()
    finally:
        await stop(container)


async def one(content: bytes) -> AsyncIterator[bytes]:
    """A file that comes in one piece."""
    yield content


@contextmanager
def ready(folder: Path) -> Iterator[tuple[ServerProcess, httpx.Client, float]]:
    """A server, and the seconds until it was ready."""
    began = time.perf_counter()
    with ServerProcess(folder, JOBS_SLOTS=str(RUNNING)) as server, server.client() as client:
        while client.get("/api/health/ready").status_code != httpx.codes.OK:
            time.sleep(0.005)
        yield server, client, time.perf_counter() - began


def begin_jobs(client: httpx.Client, endpoint: EndpointProcess) -> list[str]:
    """Ten jobs, once all of them run; their ids."""
    rows = "".join(json.dumps({"examples": f"row {row}"}) + "\n" for row in range(ROWS))
    files = {"dataset": ("running.jsonl", rows.encode(), "application/jsonl")}
    dataset = client.post("/api/v1/datasets/", files=files, data={"format": "job"}).raise_for_status().json()
    asked = {
        "name": "running", "dataset": dataset["id"], "batch_size": 1,
        "job_config": {
            "job_type": "inference", "model": "small", "provider": "openai", "base_url": endpoint.base_url,
        },
    }  # fmt: skip
    made = [client.post("/api/v1/jobs/inference/", json=asked) for _ in range(RUNNING)]
    ids = [str(each.raise_for_status().json()["id"]) for each in made]
    wait_for(client, ids, "running")
    return ids


def wait_for(client: httpx.Client, ids: list[str], status: str) -> None:
    """Returns when all jobs have a status."""
    for _ in range(1200):
        found = {client.get(f"/api/v1/jobs/{each}").raise_for_status().json()["status"] for each in ids}
        if found == {status}:
            return
        time.sleep(0.1)
    raise TimeoutError(f"jobs are {found}, and not {status}")


def restart(folder: Path, rounds: int) -> None:
    """Prints how long a server takes to be ready."""
    empty = []
    for number in range(rounds):
        with ready(folder / f"empty-{number}") as (_, _, seconds):
            empty.append(seconds)
    print(f"{'ready with an empty folder':<48}{statistics.median(empty) * 1000:>10.0f} ms")
    with EndpointProcess(seconds=SECONDS) as endpoint:
        taken = []
        with ready(folder / "data") as (server, client, _):
            ids = begin_jobs(client, endpoint)
            server.ended(signal.SIGKILL)
        for _ in range(rounds):
            with ready(folder / "data") as (server, client, seconds):
                taken.append(seconds)
                server.ended(signal.SIGKILL)
        with ready(folder / "data") as (_, client, _):
            wait_for(client, ids, "succeeded")
    print(f"{f'ready with jobs, {RUNNING} of them running':<48}{statistics.median(taken) * 1000:>10.0f} ms")


def listing(folder: Path, rounds: int) -> None:
    """Prints how long pages take."""
    with ready(folder / "data") as (_, client, _):
        for page in PAGES:
            taken = []
            for _ in range(rounds):
                began = time.perf_counter()
                answer = client.get(f"/api/v1/jobs/?{page}").raise_for_status()
                taken.append(time.perf_counter() - began)
            told = f"{len(answer.json()['items']):,} of {answer.json()['total']:,} jobs: {page}"
            print(f"{told:<48}{statistics.median(taken) * 1000:>10.1f} ms")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--finished", type=int, default=1000)
    parser.add_argument("--listed", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        asyncio.run(finish_jobs(folder / "data", given.finished, "early"))
        restart(folder, 5)
        asyncio.run(finish_jobs(folder / "data", given.listed - given.finished - RUNNING, "late"))
        listing(folder, given.rounds)


if __name__ == "__main__":
    main()
