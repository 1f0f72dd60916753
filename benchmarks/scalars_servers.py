"""Measures the stores of time series in PostgreSQL and ClickHouse beside raw floors of the same run.

Usage: python benchmarks/scalars_servers.py [postgres] [clickhouse]

PostgreSQL is a throw-away server with its defaults (fsync on); ClickHouse is the embedded engine.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

import asyncpg
import numpy as np

from tests.databases import own_postgres
from tracker.adapters.scalars.postgres import PostgresScalarStore
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch
from tracker.domain.scalars.series import SampleQuery
from tracker.ports.scalars import ScalarStore

PROJECT = ProjectId(UUID(int=1))
MANY = ProjectId(UUID(int=2))
MILLION = 1_000_000
BULK_SERIES, BULK_STEPS = 100, 50_000
RUNS, NAMES = 10_000, 20
DURABLE_SECONDS = 5.0
_T = TypeVar("_T")


def batch(run: ExperimentId, steps: int, names: int, start: int = 0) -> ScalarBatch:
    """Mixed data: half of the series noise around a curve, a quarter schedules, a quarter counters."""
    series, step = np.tile(np.arange(names), steps), np.repeat(np.arange(start, start + steps), names)
    noise = np.exp(-step / MILLION) + np.random.default_rng(start).normal(0, 0.01, len(step))
    schedule = 1e-3 * 0.5 * (1 + np.cos(step / 50_000))
    value = np.where(series % 4 < 2, noise, np.where(series % 4 == 2, schedule, step * 512.0))
    return ScalarBatch(
        id=BatchId(uuid4()),
        experiment_id=run,
        names=tuple(f"metric/{n}" for n in range(names)),
        series=series,
        step=step,
        time=1_700_000_000_000_000 + step * 100_000 + np.random.default_rng(1).integers(0, 900, len(step)),
        value=value,
    )


def line(what: str, number: float, unit: str, floor: float | None = None) -> None:
    """Prints a figure, and its floor."""
    beside = "" if floor is None else f"   floor {floor:10.2f}"
    print(f"  {what:44s}{number:10.2f} {unit}{beside}", flush=True)


async def seconds(work: Awaitable[_T]) -> float:
    """How long it took."""
    begin = time.perf_counter()
    await work
    return time.perf_counter() - begin


async def median_ms(ask: Callable[[], Awaitable[object]], times: int = 5) -> float:
    """The median of some tries, after one that warms up."""
    await ask()
    return 1000 * statistics.median([await seconds(ask()) for _ in range(times)])


async def bulk(store: ScalarStore, floor: Callable[[int], Awaitable[float]] | None) -> None:
    """Long batches, as an import sends them; then what they take."""
    run = ExperimentId(uuid4())
    parts = [batch(run, 5000, BULK_SERIES, start) for start in range(0, BULK_STEPS, 5000)]
    points = sum(map(len, parts))

    async def append() -> None:
        for part in parts:
            await store.append(PROJECT, part)

    took = await seconds(append())
    await store.maintain(60.0)
    stats = await store.stats(PROJECT)
    lowest = None if floor is None else points / await floor(stats.bytes) / MILLION
    line("bulk append, 1 process", points / took / MILLION, "M points/s", lowest)
    line("size", stats.bytes / stats.points, "bytes/point")


async def reading(store: ScalarStore) -> None:
    """One series of a million points, whole and thinned."""
    run = ExperimentId(uuid4())
    for start in range(0, MILLION, 250_000):
        await store.append(PROJECT, batch(run, 250_000, 1, start))
    await store.settle(PROJECT, run)
    line("read 1M points", await median_ms(lambda: store.read(PROJECT, run, "metric/0")), "ms")
    query = SampleQuery(experiments=(run,))
    line("sample 1M to 1,000", await median_ms(lambda: store.sample(PROJECT, query)), "ms")
    zoomed = SampleQuery(experiments=(run,), start=400_000, stop=410_000)
    line("sample 10,000 steps of it to 1,000", await median_ms(lambda: store.sample(PROJECT, zoomed)), "ms")


async def fill(store: ScalarStore) -> list[ExperimentId]:
    """Ten thousand short runs of twenty series."""
    runs = [ExperimentId(uuid4()) for _ in range(RUNS)]
    for at in range(0, RUNS, 500):
        await asyncio.gather(*(store.append(MANY, batch(run, 2, NAMES)) for run in runs[at : at + 500]))
    await store.maintain(300.0)
    return runs


async def wide(store: ScalarStore, runs: list[ExperimentId]) -> None:
    """Summaries, rankings and deletions of many runs."""
    line(f"summary of {RUNS * NAMES} series", await median_ms(lambda: store.summary(MANY), 3), "ms")
    line(f"top 10 of {RUNS} runs", await median_ms(lambda: store.top(MANY, "metric/0")), "ms")
    gone = iter(runs)
    line(f"delete one of {RUNS} runs", await median_ms(lambda: store.delete(MANY, next(gone))), "ms")


async def append_for(store: ScalarStore, limit: float) -> int:
    """How many batches of 20 points, one after the other, are durable in so many seconds."""
    run, done, end = ExperimentId(uuid4()), 0, time.perf_counter() + limit
    while time.perf_counter() < end:
        await store.append(PROJECT, batch(run, 1, 20, done))
        done += 1
    return done


async def insert_for(url: str, limit: float) -> int:
    """How many rows of the same size are, when nothing but PostgreSQL is in the way."""
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE IF NOT EXISTS raw_commit (data bytea)")
    data, done, end = bytes(280), 0, time.perf_counter() + limit
    while time.perf_counter() < end:
        await connection.execute("INSERT INTO raw_commit VALUES ($1)", data)
        done += 1
    await connection.close()
    return done


def of_processes(url: str, count: int, what: str) -> float:
    """Batches a second of so many processes."""
    command = [sys.executable, __file__, f"--{what}", url]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    return sum(int(process.communicate()[0]) for process in running) / DURABLE_SECONDS


async def of_runs(store: ScalarStore, runs: int) -> float:
    """Batches a second of so many runs that log at once through one process."""
    limit = DURABLE_SECONDS
    return sum(await asyncio.gather(*(append_for(store, limit) for _ in range(runs)))) / limit


async def postgres(url: str) -> None:
    """All rows of the PostgreSQL store."""
    print("PostgreSQL")
    store = PostgresScalarStore(url)

    async def copy(size: int) -> float:
        connection = await asyncpg.connect(url)
        await connection.execute("CREATE TABLE raw_bulk (data bytea)")
        rows = [(np.random.default_rng(n).bytes(40_960),) for n in range(size // 40_960)]
        took = await seconds(connection.copy_records_to_table("raw_bulk", records=rows))
        await connection.close()
        return took

    await bulk(store, copy)
    await reading(store)
    for count in (1, 4):
        floor = await asyncio.to_thread(of_processes, url, count, "insert")
        rate = await asyncio.to_thread(of_processes, url, count, "append")
        line(f"durable 20-point batches, {count} process(es)", rate, "batches/s", floor)
    line("durable 20-point batches, 100 runs at once", await of_runs(store, 100), "batches/s")
    await wide(store, await fill(store))
    await store.close()


async def clickhouse(folder: str) -> None:
    """All rows of the ClickHouse store, in the embedded engine."""
    from tracker.adapters.scalars.clickhouse import ClickHouseScalarStore  # noqa: PLC0415 - an extra

    print("ClickHouse, embedded")
    store = ClickHouseScalarStore(f"chdb://{folder}")
    await bulk(store, None)
    await reading(store)
    for runs in (1, 100):
        line(f"durable 20-point batches, {runs} run(s) at once", await of_runs(store, runs), "batches/s")
    await wide(store, await _fill_clickhouse(store, folder))
    await store.close()


async def _fill_clickhouse(store: ScalarStore, folder: str) -> list[ExperimentId]:
    """Ten thousand runs by one statement: one insert each would take minutes, and is measured above."""
    import clickhouse_connect  # noqa: PLC0415 - an extra

    client = clickhouse_connect.get_client(dsn=f"chdb://{folder}", database="tracker")
    client.command(
        "INSERT INTO scalars (project, kind, experiment, name, step, time, value)"
        " SELECT {project:UUID}, 'point', toUUID(concat('00000000-0000-4000-8000-', leftPad(toString(run),"
        " 12, '0'))), concat('metric/', toString(name)), step, 1700000000000000 + step, rand64() / 1e19"
        " FROM (SELECT number AS run FROM numbers({runs:UInt32})) AS r CROSS JOIN"
        " (SELECT number AS name FROM numbers({names:UInt32})) AS n CROSS JOIN"
        " (SELECT number AS step FROM numbers(2)) AS s",
        parameters={"project": MANY, "runs": RUNS, "names": NAMES},
    )
    client.close()
    return [row.experiment_id for row in await store.summary(MANY, names=["metric/0"])]


def main(chosen: list[str]) -> None:
    """Measures what was chosen; all when nothing was."""
    if not chosen or "postgres" in chosen:
        with (
            tempfile.TemporaryDirectory(prefix="tracker-bench-") as folder,
            own_postgres(Path(folder), fsync=True) as server,
        ):
            if server is None:
                print("PostgreSQL is not installed (initdb and postgres)")
            else:
                asyncio.run(postgres(server.url))
    if not chosen or "clickhouse" in chosen:
        with tempfile.TemporaryDirectory(prefix="tracker-bench-") as folder:
            asyncio.run(clickhouse(folder))


async def _one_process(what: str, url: str) -> int:
    if what == "--insert":
        return await insert_for(url, DURABLE_SECONDS)
    store = PostgresScalarStore(url)
    await store.check()
    done = await append_for(store, DURABLE_SECONDS)
    await store.close()
    return done


if __name__ == "__main__":
    sys.path.pop(0)  # of this folder, whose http.py would hide the library's module
    if sys.argv[1:2] in (["--append"], ["--insert"]):
        print(asyncio.run(_one_process(*sys.argv[1:3])))
    else:
        main(sys.argv[1:])
