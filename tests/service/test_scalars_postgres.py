"""Time series in PostgreSQL: many processes, restarts of the server, and what else can go wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import asyncpg
import numpy as np
import pytest

from tests.databases import PostgresServer, own_postgres
from tests.service.scalars_postgres_writer import LANE_STEPS, POINTS, PROJECT
from tracker.adapters.scalars.postgres import PostgresScalarStore
from tracker.adapters.scalars.postgres.group_commit import KnownNumbers
from tracker.domain.errors import Invalid, NotFound, SchemaMismatch, TooManyRequests, Unavailable
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch

pytestmark = pytest.mark.slow  # starts and kills servers of its own

ROOT = Path(__file__).parents[2]
WRITER = Path(__file__).parent / "scalars_postgres_writer.py"
RUN = ExperimentId(UUID(int=7))
OTHER_PROJECT = ProjectId(UUID(int=2))


@pytest.fixture
async def store(scalars_postgres_url: str) -> AsyncIterator[PostgresScalarStore]:
    opened = PostgresScalarStore(scalars_postgres_url)
    yield opened
    await opened.close()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    with TemporaryDirectory(prefix="tracker-postgres-") as folder, own_postgres(Path(folder)) as server:
        if server is None:
            pytest.skip("PostgreSQL is not installed (initdb and postgres)")
        yield server


def writer(url: str, run: ExperimentId, lane: int, batches: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(WRITER), url, str(run), str(lane), str(batches)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def curve(size: int, *, run: ExperimentId = RUN, start: int = 0, name: str = "loss") -> ScalarBatch:
    step = np.arange(start, start + size)
    return ScalarBatch(
        id=BatchId(uuid4()),
        experiment_id=run,
        names=(name,),
        series=np.zeros(size, np.int64),
        step=step,
        time=step,
        value=step.astype(np.float64),
    )


async def assert_exactly(store: PostgresScalarStore, run: ExperimentId, batches: dict[int, int]) -> None:
    """Fails unless the run has the first so many batches of each lane, each once and whole."""
    wanted = [
        lane * LANE_STEPS + step for lane, count in sorted(batches.items()) for step in range(POINTS * count)
    ]
    for name in ("acc", "loss"):
        assert (await store.read(PROJECT, run, name)).step.tolist() == wanted
    assert await store.verify(PROJECT) == ()


async def test_processes_write_one_experiment_at_once(scalars_postgres_url: str) -> None:
    run, batches = ExperimentId(uuid4()), 150
    processes = [writer(scalars_postgres_url, run, lane, batches) for lane in range(4)]
    for process in processes:
        await asyncio.to_thread(process.communicate)
        assert process.returncode == 0
    store = PostgresScalarStore(scalars_postgres_url)
    await assert_exactly(store, run, dict.fromkeys(range(4), batches))
    await store.maintain(10.0)
    await assert_exactly(store, run, dict.fromkeys(range(4), batches))
    await store.close()


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGQUIT], ids=["restart", "crash"])
async def test_restarted_server_loses_and_doubles_nothing(
    own_server: PostgresServer, by: signal.Signals
) -> None:
    run, batches = ExperimentId(uuid4()), 400
    processes = [writer(own_server.url, run, lane, batches) for lane in range(2)]
    for _ in range(20):
        await asyncio.to_thread(processes[0].stdout.readline)
    for _ in range(2):
        await asyncio.to_thread(own_server.stop, by)
        await asyncio.to_thread(own_server.start)
        await asyncio.to_thread(processes[1].stdout.readline)
    for process in processes:
        await asyncio.to_thread(process.communicate)
        assert process.returncode == 0
    store = PostgresScalarStore(own_server.url)
    await assert_exactly(store, run, dict.fromkeys(range(2), batches))
    await store.close()


async def test_store_answers_again_when_its_server_is_back(own_server: PostgresServer) -> None:
    store = PostgresScalarStore(own_server.url)
    await store.append(PROJECT, curve(5))
    await asyncio.to_thread(own_server.stop)
    with pytest.raises(Unavailable) as raised:
        await store.append(PROJECT, curve(5, start=5))
    assert raised.value.retry_after > 0
    for question in (store.read(PROJECT, RUN, "loss"), store.check(), store.delete(PROJECT, RUN)):
        with pytest.raises(Unavailable):
            await question
    await asyncio.to_thread(own_server.start)
    await store.check()
    await store.append(PROJECT, curve(5, start=5))
    assert len(await store.read(PROJECT, RUN, "loss")) == 10
    await asyncio.to_thread(own_server.stop)
    await store.close()


async def test_two_stores_send_the_same_batch_at_once_and_it_is_kept_once(scalars_postgres_url: str) -> None:
    stores = [PostgresScalarStore(scalars_postgres_url) for _ in range(3)]
    sent = [curve(30, start=30 * n) for n in range(20)]
    await asyncio.gather(*(store.append(PROJECT, batch) for batch in sent for store in stores))
    assert (await stores[0].read(PROJECT, RUN, "loss")).step.tolist() == list(range(600))
    for store in stores:
        await store.close()


async def test_stores_take_turns_at_one_experiment(scalars_postgres_url: str) -> None:
    stores = [PostgresScalarStore(scalars_postgres_url) for _ in range(3)]

    async def write(lane: int) -> None:
        for n in range(40):
            await stores[lane].append(PROJECT, curve(5, start=1000 * lane + 5 * n, name=f"n{n}"))

    await asyncio.gather(*map(write, range(3)))
    assert [row.count for row in await stores[0].summary(PROJECT)] == [15] * 40
    for store in stores:
        await store.close()


async def test_tables_are_made_once_however_many_open_them_first(scalars_postgres_url: str) -> None:
    stores = [PostgresScalarStore(scalars_postgres_url) for _ in range(6)]
    await asyncio.gather(*(store.append(PROJECT, curve(1, start=n)) for n, store in enumerate(stores)))
    assert len(await stores[0].read(PROJECT, RUN, "loss")) == 6
    for store in stores:
        await store.close()


async def test_deleting_while_others_write_leaves_nothing(scalars_postgres_url: str) -> None:
    here, there = PostgresScalarStore(scalars_postgres_url), PostgresScalarStore(scalars_postgres_url)
    await here.append(PROJECT, curve(10))

    async def write() -> int:
        for n in range(10_000):
            try:
                await there.append(PROJECT, curve(10, start=10 * n))
            except NotFound:
                return n
        raise AssertionError("the experiment was never deleted")

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.05)
    await here.delete(PROJECT, RUN)
    assert await here.summary(PROJECT) == ()
    await writing
    assert await there.summary(PROJECT) == ()
    assert await there.stats(PROJECT) == (0, 0, 0, 0, 0)
    await here.close()
    await there.close()


async def test_project_of_many_runs_is_removed_to_the_last_row(
    store: PostgresScalarStore, scalars_postgres_url: str
) -> None:
    runs = [ExperimentId(uuid4()) for _ in range(1100)]
    await asyncio.gather(*(store.append(PROJECT, curve(2, run=run)) for run in runs))
    await store.append(OTHER_PROJECT, curve(2))
    await store.delete(PROJECT)
    connection = await asyncpg.connect(scalars_postgres_url)
    for table in ("experiment", "series", "tail", "batch"):
        assert await connection.fetchval(f"SELECT count(*) FROM tracker_scalars.{table}") == 1
    await connection.close()
    assert len(await store.read(OTHER_PROJECT, RUN, "loss")) == 2


def test_names_that_were_not_used_for_longest_are_forgotten() -> None:
    known = KnownNumbers()
    for key in range(12):
        known.learn({key: {f"n{n}": n for n in range(100_000)}})
    known.learn({8: known[8]})
    known.learn({12: {"x": 0}})
    assert list(known) == [9, 10, 11, 8, 12]


async def test_full_queue_is_refused_and_says_when_to_retry(scalars_postgres_url: str) -> None:
    store = PostgresScalarStore(scalars_postgres_url, queue_points=10)
    answers = await asyncio.gather(
        *(store.append(PROJECT, curve(9)) for _ in range(50)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, TooManyRequests)]
    assert refused and all(answer.retry_after > 0 for answer in refused)
    assert sum(row.count for row in await store.summary(PROJECT)) == 9 * (50 - len(refused))
    await store.close()


async def test_long_tail_is_folded_beside_the_writers(scalars_postgres_url: str) -> None:
    store = PostgresScalarStore(scalars_postgres_url)
    for n in range(60):
        await store.append(PROJECT, curve(100, start=100 * n))
    await store.close()
    again = PostgresScalarStore(scalars_postgres_url)
    stats = await again.stats(PROJECT)
    assert stats.points == 6000 and stats.loose < 2048
    assert await again.verify(PROJECT) == ()
    await again.close()


async def test_damage_is_found_and_named(store: PostgresScalarStore, scalars_postgres_url: str) -> None:
    await store.append(PROJECT, curve(5000))
    await store.append(PROJECT, curve(10, name="acc"))
    connection = await asyncpg.connect(scalars_postgres_url)
    await connection.execute("UPDATE tracker_scalars.chunk SET value = set_byte(value, 9, 255)")
    await connection.execute("UPDATE tracker_scalars.experiment SET loose = 3")
    await connection.close()
    faults = await store.verify(PROJECT)
    assert [(fault.experiment_id, fault.name) for fault in faults] == [(RUN, "loss"), (RUN, None)]
    assert "checksum" in faults[0].problem and "10 points, not 3" in faults[1].problem


async def test_newer_schema_is_refused(store: PostgresScalarStore, scalars_postgres_url: str) -> None:
    await store.check()
    connection = await asyncpg.connect(scalars_postgres_url)
    await connection.execute("UPDATE tracker_scalars.version SET number = 99")
    await connection.close()
    late = PostgresScalarStore(scalars_postgres_url)
    with pytest.raises(SchemaMismatch, match="99"):
        await late.check()
    await late.close()


async def test_name_that_postgresql_cannot_hold_has_no_points(store: PostgresScalarStore) -> None:
    await store.append(PROJECT, curve(1))
    for name in ("a\x00b", "\ud800"):
        assert len(await store.read(PROJECT, RUN, name)) == 0
        assert await store.top(PROJECT, name) == ()


def test_url_that_is_none_is_refused_without_repeating_it() -> None:
    with pytest.raises(Invalid) as raised:
        PostgresScalarStore("mysql://user:secret@host/db")
    assert "secret" not in str(raised.value)
