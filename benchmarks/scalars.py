"""Measures the embedded store of time series: ``python benchmarks/scalars.py [--small] [--in FOLDER]``.

Each figure stands beside a floor of the same run: what the same work costs without the store. Every
case runs in a process of its own, whose peak memory is told. ``--small`` divides all sizes by ten.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import numpy as np

from tracker.adapters.scalars.chunks import Arrivals, Columns, chunked
from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch
from tracker.domain.scalars.downsampling import thin
from tracker.domain.scalars.series import Axis, SampleQuery

PROJECT = ProjectId(uuid4())
MILLION = 1_000_000
_T = TypeVar("_T")
Rows = list[tuple[str, str, str]]


def curve(kind: int, size: int, start: int = 0) -> Columns:
    """One of the four kinds of the mixed data, logged about every 100 ms."""
    rng = np.random.default_rng(kind + start)
    step = np.arange(start, start + size)
    time = 1_700_000_000_000_000 + step * 100_000 + rng.integers(-5_000, 5_000, size)
    noise = rng.normal(0, 0.01, size)
    match kind % 4:
        case 0:
            value = np.exp(-step / MILLION) + noise  # a loss
        case 1:
            value = 0.5 * (1 + np.cos(np.pi * step / MILLION))  # a schedule
        case 2:
            value = step.astype(np.float64)  # a counter
        case _:
            value = (np.exp(-step / MILLION) + noise).astype(np.float32).astype(np.float64)
    return Columns(step, np.sort(time), value)


def batch(run: ExperimentId, points: Columns, names: tuple[str, ...] = ("metric",)) -> ScalarBatch:
    """Points in turn of each name."""
    series = np.arange(len(points.value)) % len(names)
    return ScalarBatch(id=BatchId(uuid4()), experiment_id=run, names=names, series=series, **points._asdict())


def twenty(run: ExperimentId, step: int) -> ScalarBatch:
    """What a training loop logs in one step."""
    steps = np.full(20, step)
    points = Columns(steps, 1_700_000_000_000_000 + steps * 100_000, np.random.default_rng(step).random(20))
    return batch(run, points, tuple(f"metric/{index}" for index in range(20)))


async def seconds(work: Awaitable[_T]) -> tuple[float, _T]:
    """How long it took, and the answer."""
    begin = time.perf_counter()
    answer = await work
    return time.perf_counter() - begin, answer


async def median(ask: Callable[[], Awaitable[object]], times: int = 7) -> float:
    """Milliseconds of the middle one of some goes, after one that warms up."""
    await ask()
    return statistics.median([(await seconds(ask()))[0] for _ in range(times)]) * 1000


def median_of(work: Callable[[], object], times: int = 7) -> float:
    """The same of something that does not wait."""
    work()
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken) * 1000


def size_of(folder: Path) -> int:
    """Bytes of the files, their logs too."""
    return sum(path.stat().st_size for path in folder.iterdir())


def peak_mb() -> float:
    """The most memory this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def bulk(folder: Path, divisor: int) -> Rows:
    """Ten million points of mixed data in a hundred series, a batch each."""
    size = MILLION // 10 // divisor

    def compressed_and_written() -> float:
        taken = 0.0
        with (folder / "floor").open("wb") as file:
            for kind in range(10):
                points = curve(kind, size)
                begin = time.perf_counter()
                for chunk in chunked(Arrivals(points, np.ones(size, np.int64))):
                    file.write(b"".join(chunk[6:]))
                file.flush()
                os.fsync(file.fileno())
                taken += time.perf_counter() - begin
        (folder / "floor").unlink()
        return 10 * size / taken / MILLION

    async def run() -> tuple[float, float]:
        store, run = EmbeddedScalarStore(folder), ExperimentId(uuid4())
        await store.append(PROJECT, twenty(run, 0))
        taken = 0.0
        for kind in range(100):
            each = batch(run, curve(kind, size), (f"series/{kind}",))
            taken += (await seconds(store.append(PROJECT, each)))[0]
        await store.maintain(60.0)
        await store.close()
        return 100 * size / taken / MILLION, size_of(folder) / (100 * size)

    floor = compressed_and_written()
    rate, bytes_a_point = asyncio.run(run())
    return [
        ("bulk append, M points/s", f"{rate:.1f}", f"{floor:.1f} compressed and written to a file"),
        ("size, bytes/point", f"{bytes_a_point:.2f}", "24 as plain columns"),
        ("peak memory of it, MB", f"{peak_mb():.0f}", ""),
    ]


def plain_commits(folder: Path, synchronous: str, count: int) -> float:
    """Transactions a second of nothing but SQLite: one row of the size of a batch."""
    connection = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("CREATE TABLE IF NOT EXISTS row (data BLOB)")
    begin = time.perf_counter()
    for _ in range(count):
        connection.execute("INSERT INTO row VALUES (?)", (bytes(260),))
    taken = time.perf_counter() - begin
    connection.close()
    return count / taken


async def log_steps(store: EmbeddedScalarStore, count: int) -> None:
    """One run, one batch after the other."""
    run = ExperimentId(uuid4())
    for step in range(count):
        await store.append(PROJECT, twenty(run, step))


def durable(folder: Path, divisor: int) -> Rows:
    """Batches of 20 points, each waited for."""
    count = 1000 // divisor
    found: Rows = []
    for synchronous in ("full", "normal"):
        floor = plain_commits(folder, synchronous, count)
        for runs in (1, 100):
            store = EmbeddedScalarStore(folder, synchronous="full" if synchronous == "full" else "normal")

            async def all_runs(store: EmbeddedScalarStore = store, runs: int = runs) -> float:
                each = count // (1 if runs == 1 else 10)
                taken, _ = await seconds(asyncio.gather(*(log_steps(store, each) for _ in range(runs))))
                await store.close()
                return runs * each / taken

            rate = asyncio.run(all_runs())
            title = f"durable batches/s, {synchronous.upper()}, {runs} run{'s at once' * (runs > 1)}"
            found.append((title, f"{rate:.0f}", f"{floor:.0f} commits of plain SQLite"))
    return found


def one_of_four(folder: Path, project: ProjectId, count: int) -> None:
    """A process that logs into a project it shares."""
    global PROJECT  # noqa: PLW0603 - a process of its own
    PROJECT = project

    async def run() -> None:
        store = EmbeddedScalarStore(folder)
        await log_steps(store, count)
        await store.close()

    asyncio.run(run())


def four_processes(folder: Path, divisor: int) -> Rows:
    """The same from four processes into one project; starting them is not counted."""
    count = 500 // divisor
    asyncio.run(_touch(folder))
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        pool.starmap(one_of_four, [(folder, PROJECT, 1)] * 4, chunksize=1)
        begin = time.perf_counter()
        pool.starmap(one_of_four, [(folder, PROJECT, count)] * 4, chunksize=1)
        rate = 4 * count / (time.perf_counter() - begin)
    floor = plain_commits(folder, "full", count)
    title = "durable batches/s, FULL, 4 processes in one project"
    return [(title, f"{rate:.0f}", f"{floor:.0f} commits of plain SQLite in one process")]


async def _touch(folder: Path) -> None:
    store = EmbeddedScalarStore(folder)
    await log_steps(store, 1)
    await store.close()


def charts(folder: Path, divisor: int) -> Rows:
    """Fifty series of a million points, read and sampled."""
    size = MILLION // divisor
    points = curve(0, size)
    packed = list(chunked(Arrivals(points, np.ones(size, np.int64))))
    decoding = median_of(lambda: [chunk.columns() for chunk in packed])
    thinning = median_of(lambda: thin(*points, 1000, Axis.STEP))

    async def run() -> Rows:
        store, one = EmbeddedScalarStore(folder, synchronous="normal"), ExperimentId(uuid4())
        for index in range(50):
            await store.append(PROJECT, batch(one, points, (f"series/{index}",)))
        await store.maintain(60.0)
        some = SampleQuery(experiments=(one,), names=("series/7",))
        short = some.evolve(start=size // 2, stop=size // 2 + 1000)
        found = [
            (
                "read one whole",
                lambda: store.read(PROJECT, one, "series/7"),
                f"{decoding:.1f} to decode",
            ),
            ("sample it to 1,000", lambda: store.sample(PROJECT, some), f"{thinning:.1f} to thin in memory"),
            ("sample it by time", lambda: store.sample(PROJECT, some.evolve(axis=Axis.TIME)), ""),
            ("sample 1,000 points of it", lambda: store.sample(PROJECT, short), ""),
            ("sample 50 series", lambda: store.sample(PROJECT, some.evolve(names=None)), ""),
        ]
        rows = [(f"{title}, ms", f"{await median(ask):.1f}", floor) for title, ask, floor in found]
        await store.close()
        return rows

    return asyncio.run(run())


def overview(folder: Path, divisor: int) -> Rows:
    """Ten thousand experiments of twenty series: while all points are in the tail, and once folded."""
    count = 10_000 // divisor
    runs = [ExperimentId(uuid4()) for _ in range(count)]

    async def asked(store: EmbeddedScalarStore, state: str) -> Rows:
        last = await median(lambda: store.summary(PROJECT), 3)
        best = await median(lambda: store.top(PROJECT, "metric/7", k=10), 5)
        floor = f"{milliseconds_of_rows(folder):.0f} to fetch the rows"
        return [
            (f"last of {20 * count} series, {state}, ms", f"{last:.0f}", floor),
            (f"top 10 of {count} experiments, {state}, ms", f"{best:.1f}", ""),
        ]

    async def run() -> Rows:
        store = EmbeddedScalarStore(folder, synchronous="normal")
        for step in range(3):
            for begin in range(0, count, 1000):  # more than 4,096 at once would be refused
                some = runs[begin : begin + 1000]
                await asyncio.gather(*(store.append(PROJECT, twenty(each, step)) for each in some))
        rows = await asked(store, "in the tail")
        await store.maintain(600.0)
        rows += await asked(store, "folded")
        gone = [(await seconds(store.delete(PROJECT, run)))[0] * 1000 for run in runs[:9]]
        rows.append((f"delete one of {count} experiments, ms", f"{statistics.median(gone):.1f}", ""))
        await store.close()
        return rows

    return asyncio.run(run())


def milliseconds_of_rows(folder: Path) -> float:
    """To fetch nothing but names and packed totals of all series, by experiment and name."""
    query = (
        "SELECT e.uuid, s.name, s.totals FROM series s JOIN experiment e ON e.id=s.experiment"
        " ORDER BY e.uuid, s.name"
    )
    with contextlib.closing(sqlite3.connect(folder / f"{PROJECT}.db")) as connection:
        return median_of(lambda: connection.execute(query).fetchall(), 3)


CASES = (bulk, durable, four_processes, charts, overview)


def main() -> None:
    """Runs the cases and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--in", dest="place")
    parser.add_argument("--only", choices=[case.__name__ for case in CASES])
    given = parser.parse_args()
    print(f"{'':<54}{'measured':>10}  floor of the same run")
    for case in CASES:
        if given.only in (None, case.__name__):
            with tempfile.TemporaryDirectory(dir=given.place) as folder:
                pipe, theirs = multiprocessing.get_context("spawn").Pipe()
                arguments = (case.__name__, folder, 10 if given.small else 1, theirs)
                process = multiprocessing.get_context("spawn").Process(target=measured, args=arguments)
                process.start()
                for title, figure, floor in pipe.recv():
                    print(f"{title:<54}{figure:>10}  {floor}", flush=True)
                process.join()


def measured(name: str, folder: str, divisor: int, pipe: multiprocessing.connection.Connection) -> None:
    """One case, in a process of its own, whose memory is then its own."""
    case = next(case for case in CASES if case.__name__ == name)
    pipe.send(case(Path(folder), divisor))


if __name__ == "__main__":
    sys.path.pop(0)  # of this folder, whose http.py would hide the library's module
    main()
