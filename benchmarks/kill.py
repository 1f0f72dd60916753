"""Kills whoever writes scalars with SIGKILL, again and again, and looks what is left.

Run: ``python benchmarks/kill.py [--rounds 200] [--server-rounds 20]``. In each round processes of their own
append, fold, checkpoint, maintain and delete over one folder, and one of them is killed at a random
moment. Then the store is opened again: every acknowledged batch must be there, none twice (they are
sent again, too), none torn, and ``verify`` must find nothing. The server rounds do the same to a server
that is logged to over HTTP. SIGKILL is no power cut: what the disk keeps then is up to ``synchronous``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from uuid import UUID, uuid5

import numpy as np

from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch

ROOT = Path(__file__).parents[1]
PROJECT = ProjectId(UUID(int=1))
DOING = ("append", "fold", "checkpoint", "maintain")
NAMES = 4
SPAN = 2000  # steps that belong to one batch
LANES = 4
ROUNDS_A_FOLDER = 20
Acknowledged = dict[ExperimentId, set[int]]


def points_of(number: int) -> np.ndarray:
    """Points a series in a batch: most are small and go through the tail, some skip it."""
    return np.arange(1500 if number % 17 == 16 else 5)


def batch(run: ExperimentId, number: int) -> ScalarBatch:
    """The batch of this number; always the same one."""
    steps = np.repeat(points_of(number) + SPAN * number, NAMES)
    return ScalarBatch(
        id=BatchId(uuid5(run, str(number))),
        experiment_id=run,
        names=tuple(f"m{index}" for index in range(NAMES)),
        series=np.tile(np.arange(NAMES), len(steps) // NAMES),
        step=steps,
        time=steps * 1000,
        value=np.full(len(steps), float(number)),
    )


def lane(seed: int, index: int) -> ExperimentId:
    """The experiment that one lane of a writer logs to."""
    return ExperimentId(uuid5(PROJECT, f"{seed} {index}"))


async def write(folder: Path, synchronous: str, doing: str, seed: int) -> None:
    """What a writer does until it is killed; tells what is durable."""
    store = EmbeddedScalarStore(folder, synchronous="full" if synchronous == "full" else "normal")

    async def log(index: int) -> None:
        run = lane(seed, index)
        for number in range(100_000):
            await store.append(PROJECT, batch(run, number))
            os.write(1, f"{run} {number}\n".encode())
            if doing == "fold" and number % 3 == 2:
                await store.settle(PROJECT, run)

    async def keep_house() -> None:
        for round_ in range(100_000):
            gone = ExperimentId(uuid5(PROJECT, f"gone {seed} {round_}"))
            if doing == "maintain":
                await store.append(PROJECT, batch(gone, 16))
                await store.delete(PROJECT, gone)
            await store.maintain(0.2)

    tasks = [log(index) for index in range(LANES)]
    if doing in ("checkpoint", "maintain"):
        tasks.append(keep_house())
    await asyncio.gather(*tasks)


def start_writer(folder: Path, synchronous: str, doing: str, seed: int) -> subprocess.Popen[bytes]:
    """A writer in a process of its own."""
    command = [sys.executable, __file__, "--write", str(folder), synchronous, doing, str(seed)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})


def kill_in_the_middle(writers: list[subprocess.Popen[bytes]], chance: random.Random) -> list[bytes]:
    """Kills the first writer at a random moment, the others a little later; what they acknowledged."""
    first = writers[0]
    assert first.stdout is not None
    lines = [first.stdout.readline() for _ in range(chance.randrange(1, 120))]
    time.sleep(chance.uniform(0, 0.03))
    first.kill()
    time.sleep(chance.uniform(0, 0.1) if len(writers) > 1 else 0)
    for writer in writers:
        writer.kill()
    for writer in writers:
        assert writer.stdout is not None
        lines += writer.stdout.read().splitlines(keepends=True)
        writer.wait()
        writer.stdout.close()
    return [line for line in lines if line.endswith(b"\n")]


async def look(folder: Path, acknowledged: Acknowledged) -> Counter[str]:
    """Opens the store again and counts what is wrong, and what was looked at."""
    store = EmbeddedScalarStore(folder)
    found: Counter[str] = Counter()
    for run, numbers in acknowledged.items():
        await look_at_run(store, run, numbers, found)
        for number in random.Random(1).sample(sorted(numbers), min(3, len(numbers))):
            await store.append(PROJECT, batch(run, number))
        await look_at_run(store, run, numbers, found)
    faults = await store.verify(PROJECT)
    for fault in faults:
        print(fault)
    found["faults"] += len(faults)
    await store.close()
    return found


async def look_at_run(
    store: EmbeddedScalarStore, run: ExperimentId, numbers: set[int], found: Counter[str]
) -> None:
    """Counts acknowledged batches of a run that are lost, and batches that are torn or there twice."""
    there: list[dict[int, int]] = []
    for index in range(NAMES):
        series = await store.read(PROJECT, run, f"m{index}")
        batches, counts = np.unique(series.step // SPAN, return_counts=True)
        there.append(dict(zip(batches.tolist(), counts.tolist(), strict=True)))
        found["wrong values"] += int(np.count_nonzero(series.value != series.step // SPAN))
    rows = await store.summary(PROJECT, [run])
    found["wrong summaries"] += sum(
        row.count != sum(counts.values()) for row, counts in zip(rows, there, strict=True)
    )
    found["lost"] += sum(any(number not in counts for counts in there) for number in numbers)
    for number in set().union(*there):
        points = {counts.get(number, 0) for counts in there}
        found["twice"] += max(points) > len(points_of(number))
        found["torn"] += points != {len(points_of(number))} and max(points) <= len(points_of(number))
    found["acknowledged"] += len(numbers)


def rounds(count: int, chance: random.Random) -> Counter[str]:
    """Kills writers; every second round has two of them in one folder."""
    found: Counter[str] = Counter()
    for begin in range(0, count, ROUNDS_A_FOLDER):
        with tempfile.TemporaryDirectory() as place:
            for number in range(begin, min(begin + ROUNDS_A_FOLDER, count)):
                doing, synchronous = DOING[number % 4], ("full", "normal")[number // 4 % 2]
                seeds = [2 * number] if number % 2 else [2 * number, 2 * number + 1]
                writers = [start_writer(Path(place), synchronous, doing, seed) for seed in seeds]
                acknowledged: Acknowledged = defaultdict(set)
                for line in kill_in_the_middle(writers, chance):
                    run, batch_number = line.split()
                    acknowledged[ExperimentId(UUID(run.decode()))].add(int(batch_number))
                found += asyncio.run(look(Path(place), acknowledged))
                found[f"{doing}, {synchronous}"] += 1
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """A real server over a folder, and its one experiment."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        env = {
            **os.environ, "PYTHONPATH": str(ROOT), "TRACKER_LOG_LEVEL": "error",
            "TRACKER_DATA": str(folder), "DATABASE_URL": f"sqlite:///{folder}/tracker.db",
        }  # fmt: skip
        command = ["-m", "uvicorn", "entrypoints.http.asgi:app", "--port", str(port), "--log-level", "error"]
        self.process = subprocess.Popen([sys.executable, *command], cwd=folder, env=env)

    async def post(self, path: str, body: object) -> object:
        """The answer, asked for until the server listens; ``None`` when it dies meanwhile."""
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        request = f"{head}Connection: close\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content
        while self.process.poll() is None:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(request)
                answer = await reader.read()
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            status, _, rest = answer.partition(b"\r\n")
            if not status:
                return None
            if b" 2" not in status[:13]:
                raise RuntimeError(answer.decode())
            content = rest.partition(b"\r\n\r\n")[2]
            return json.loads(content) if content else None  # killed between head and body
        return None


def log_body(run: ExperimentId, number: int) -> object:
    """The batch of this number as the API takes it."""
    steps = points_of(number) + SPAN * number
    row = {f"m{index}": float(number) for index in range(NAMES)}
    scalars = [{"step": step, "scalars": row, "time": step * 1000} for step in steps.tolist()]
    return {"scalars": scalars, "batch_id": str(uuid5(run, str(number)))}


async def kill_server(folder: Path, port: int, chance: random.Random) -> tuple[str, Acknowledged]:
    """One round: the project's id, and what the server acknowledged before it was killed."""
    server = Server(folder, port)
    acknowledged: Acknowledged = defaultdict(set)
    settings = {"name": "killed", "settings": {"namingPattern": ""}}
    project = await server.post("/api/projects", settings)
    assert isinstance(project, dict)
    runs = []
    for index in range(LANES):
        run = await server.post("/api/experiments", {"projectId": project["id"], "name": f"lane {index}"})
        assert isinstance(run, dict)
        runs.append(ExperimentId(UUID(run["id"])))

    async def log(run: ExperimentId) -> None:
        number = 0
        while await server.post(f"/api/scalars/log_batch/{run}", log_body(run, number)) is not None:
            acknowledged[run].add(number)
            number += 1

    tasks = [asyncio.create_task(log(run)) for run in runs]
    await asyncio.sleep(chance.uniform(0.1, 1.5))
    server.process.kill()
    server.process.wait()
    await asyncio.gather(*tasks)
    return project["id"], acknowledged


def server_rounds(count: int, chance: random.Random) -> Counter[str]:
    """Kills servers under load; each starts where the one before was killed."""
    global PROJECT  # noqa: PLW0603 - the server names its projects itself
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as place:
        for _ in range(count):
            project, acknowledged = asyncio.run(kill_server(Path(place), free_port(), chance))
            PROJECT = ProjectId(UUID(project))
            found += asyncio.run(look(Path(place) / "scalars", acknowledged))
            found["server"] += 1
    return found


def main() -> None:
    """Runs all rounds, prints what was found, and fails when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--server-rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    found = rounds(given.rounds, chance) + server_rounds(given.server_rounds, chance)
    bad = ("lost", "twice", "torn", "wrong values", "wrong summaries", "faults")
    for what in sorted(found.keys() - set(bad)):
        print(f"{what:<24}{found[what]:>8}")
    for what in bad:
        print(f"{what:<24}{found[what]:>8}")
    sys.exit(any(found[what] for what in bad))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        asyncio.run(write(Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])))
    else:
        main()
