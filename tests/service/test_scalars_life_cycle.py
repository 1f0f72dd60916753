"""What the embedded store takes on disk, and what maintenance and deletions give back."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.adapters.scalars.embedded.project_file import ProjectFile
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch

PROJECT = ProjectId(UUID(int=5))
RUN = ExperimentId(UUID(int=7))
OTHER = ExperimentId(UUID(int=8))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EmbeddedScalarStore]:
    opened = EmbeddedScalarStore(tmp_path, synchronous="normal")
    yield opened
    await opened.close()


def noise(size: int, run: ExperimentId = RUN, start: int = 0) -> ScalarBatch:
    steps = np.arange(start, start + size)
    return ScalarBatch(
        id=BatchId(uuid4()),
        experiment_id=run,
        names=("noise",),
        series=np.zeros(size, np.int64),
        step=steps,
        time=steps,
        value=np.random.default_rng(start).standard_normal(size),
    )


def count(folder: Path, table: str) -> int:
    with closing(sqlite3.connect(folder / f"{PROJECT}.db")) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


async def test_deleted_experiment_gives_its_space_back(tmp_path: Path, store: EmbeddedScalarStore) -> None:
    await store.append(PROJECT, noise(1000, OTHER))
    await store.maintain(10.0)
    before = (await store.stats(PROJECT)).bytes
    for n in range(50):
        await store.append(PROJECT, noise(20_000, start=20_000 * n))
    await store.append(PROJECT, noise(100, start=2_000_000))
    await store.maintain(10.0)
    full = (await store.stats(PROJECT)).bytes
    assert full > before + 5_000_000
    await store.delete(PROJECT, RUN)
    await store.maintain(10.0)
    assert (await store.stats(PROJECT)).bytes < before + 100_000
    assert [count(tmp_path, table) for table in ("chunk", "chunk_points", "batch")] == [1, 1, 1]
    assert len(await store.read(PROJECT, OTHER, "noise")) == 1000
    assert await store.verify(PROJECT) == ()


async def test_maintenance_folds_tails_and_empties_the_log(
    tmp_path: Path, store: EmbeddedScalarStore
) -> None:
    for n in range(30):
        await store.append(PROJECT, noise(10, start=10 * n))
    assert (await store.stats(PROJECT)).loose == 300
    await store.maintain(10.0)
    assert (await store.stats(PROJECT)).loose == 0
    assert (tmp_path / f"{PROJECT}.db-wal").stat().st_size == 0
    assert count(tmp_path, "chunk") == 1 and count(tmp_path, "tail") == 0


async def test_maintenance_without_time_does_nothing_and_comes_back(
    tmp_path: Path, store: EmbeddedScalarStore
) -> None:
    await store.append(PROJECT, noise(10))
    await store.maintain(-1.0)
    assert count(tmp_path, "tail") == 1
    await store.maintain(10.0)
    assert count(tmp_path, "tail") == 0


async def test_long_tail_is_folded_beside_the_appends(tmp_path: Path, store: EmbeddedScalarStore) -> None:
    for n in range(11):
        await store.append(PROJECT, noise(100, start=100 * n))
    await store.close()  # waits for what is under way
    assert count(tmp_path, "chunk") == 1
    again = EmbeddedScalarStore(tmp_path)
    assert (await again.read(PROJECT, RUN, "noise")).step.tolist() == list(range(1100))
    await again.close()


async def test_checkpoint_does_not_wait_for_a_reader(tmp_path: Path, store: EmbeddedScalarStore) -> None:
    await store.append(PROJECT, noise(10))
    file = ProjectFile(tmp_path / f"{PROJECT}.db", "normal")
    with file.reading() as connection:
        assert connection is not None
        assert connection.execute("SELECT count(*) FROM tail").fetchone() == (1,)
        await store.append(PROJECT, noise(10, start=10))
        await store.maintain(10.0)
        assert connection.execute("SELECT count(*) FROM tail").fetchone() == (1,)
    file.close()
    assert len(await store.read(PROJECT, RUN, "noise")) == 20


async def test_idle_file_is_closed_and_opens_again(tmp_path: Path) -> None:
    file = ProjectFile(tmp_path / f"{PROJECT}.db", "normal")
    with file.writing() as writer:
        writer.connection.execute("INSERT INTO experiment (uuid) VALUES (x'01')")
    file.rest(idle=3600.0)
    assert (tmp_path / f"{PROJECT}.db-wal").exists()
    file.rest(idle=0.0)
    assert not (tmp_path / f"{PROJECT}.db-wal").exists()  # the last connection checkpoints
    with file.reading() as connection:
        assert connection is not None
        assert connection.execute("SELECT count(*) FROM experiment").fetchone() == (1,)
    file.close()


DAMAGE = {
    "checksum is another": "UPDATE chunk_points SET value=CAST(x'00' || value AS BLOB)",
    "SQLite: ": "UPDATE chunk_points SET value='ü' || value",
    "summary is": "UPDATE series SET totals=CAST(x'07' || substr(totals, 2) AS BLOB) WHERE points>0",
    "ranked by": "UPDATE series SET max_value=77.0 WHERE points>0",
    "summary cannot be read": "UPDATE series SET totals=x'00' WHERE points>0",
    "points, not": "UPDATE experiment SET loose=loose+1",
    "points of no chunk": "INSERT INTO chunk_points VALUES (99, x'', x'', x'', x'')",
    "a chunk without points": "DELETE FROM chunk_points",
    "a series of no experiment": "INSERT INTO series (experiment, name) VALUES (99, 'x')",
    "tail cannot be read": "UPDATE tail SET points=x'000000'",
    "not in the order of arrival": "UPDATE tail SET arrival=99",
}


@pytest.mark.parametrize("told", DAMAGE)
async def test_verify_names_what_is_wrong(tmp_path: Path, store: EmbeddedScalarStore, told: str) -> None:
    await store.append(PROJECT, noise(3000))
    await store.append(PROJECT, noise(10, start=3000))
    assert await store.verify(PROJECT) == ()
    with closing(sqlite3.connect(tmp_path / f"{PROJECT}.db")) as connection:
        connection.execute(DAMAGE[told])
        connection.commit()
    faults = await store.verify(PROJECT)
    assert any(told in fault.problem for fault in faults), faults
    if told in {"checksum is another", "summary is"}:
        assert (faults[0].experiment_id, faults[0].name) == (RUN, "noise")
