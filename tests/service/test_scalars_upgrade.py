"""Scalars files that older versions of tracker left behind."""

from __future__ import annotations

import lzma
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.domain.errors import NotFound, SchemaMismatch, Unavailable
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.domain.scalars.series import Ranking, SampleQuery, TimeWindow

PROJECT = ProjectId(UUID(int=1))
LONG, SHORT, GONE = (ExperimentId(UUID(int=n)) for n in (7, 8, 9))
VERSIONS = [1, 2]
"""``scalars_v<n>.db.xz`` was written by the code of version n: two runs in chunks and tail, with tags, and
one that was deleted."""


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def path(tmp_path: Path, version: int) -> Path:
    file = tmp_path / f"{PROJECT}.db"
    file.write_bytes(lzma.decompress((Path(__file__).parent / f"scalars_v{version}.db.xz").read_bytes()))
    return file


@pytest.fixture
async def store(path: Path) -> AsyncIterator[EmbeddedScalarStore]:
    opened = EmbeddedScalarStore(path.parent)
    yield opened
    await opened.close()


def batch(number: int, run: ExperimentId) -> ScalarBatch:
    one = np.array([9000 + number])
    return ScalarBatch(
        id=BatchId(UUID(int=number)),
        experiment_id=run,
        names=("loss",),
        series=np.zeros(1, np.int64),
        step=one,
        time=one,
        value=one.astype(np.float64),
    )


def _tables(connection: sqlite3.Connection) -> list[tuple[str]]:
    return connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()


async def test_file_of_an_older_version_gives_every_point_and_takes_more(store: EmbeddedScalarStore) -> None:
    loss = await store.read(PROJECT, LONG, "loss")
    step = np.sort(np.concatenate((np.arange(3000), np.arange(2990, 3010))))
    assert loss.step.tolist() == step.tolist()
    assert loss.time.tolist() == (step * 1000).tolist()
    assert loss.value[:2990].tolist() == np.sqrt(np.arange(2990)).tolist()
    assert np.isnan(loss.value).sum() == 20
    acc = await store.read(PROJECT, LONG, "acc")
    assert (acc.step.tolist(), acc.value.tolist()) == ([-5, 5, 5], [np.inf, 1.0, -0.0])
    assert np.signbit(acc.value[-1])
    rows = {(row.experiment_id, row.name): row for row in await store.summary(PROJECT)}
    assert [rows[key].count for key in ((LONG, "acc"), (LONG, "loss"), (SHORT, "loss"))] == [3, 3020, 10]
    assert rows[LONG, "loss"].non_finite == 20 and rows[SHORT, "loss"].last_value == 9.0
    assert np.isnan(rows[LONG, "loss"].last_value) and np.signbit(rows[LONG, "acc"].last_value)
    assert len(rows) == 3
    assert [row.name for row in await store.top(PROJECT, "loss", by=Ranking.MAX)] == ["loss", "loss"]
    assert await store.tags(PROJECT, LONG, TimeWindow()) == (
        StepTags(step=5, names=("acc",), tags=("best", "ünï")),
    )
    (sampled,) = await store.sample(PROJECT, SampleQuery(experiments=(LONG,), names=("loss",), max_points=40))
    assert sampled.total == 3020
    news = await store.since(PROJECT, LONG)
    assert sum(len(series) for series in news.series) == 3023
    await store.append(PROJECT, batch(50, LONG))
    (more,) = (await store.since(PROJECT, LONG, news.cursor)).series
    assert more.step.tolist() == [9050]
    assert await store.verify(PROJECT) == ()


async def test_file_of_an_older_version_remembers_batches_and_what_was_deleted(
    store: EmbeddedScalarStore,
) -> None:
    await store.append(PROJECT, batch(4, SHORT))
    assert len(await store.read(PROJECT, SHORT, "loss")) == 10
    with pytest.raises(NotFound):
        await store.append(PROJECT, batch(60, GONE))


@pytest.mark.parametrize(
    ("version", "damage"),
    [(1, "UPDATE chunk SET value=x'00'"), (2, "UPDATE series SET last_bits=x'00' WHERE id=3")],
)
async def test_upgrade_that_fails_leaves_the_file_as_it_was(path: Path, version: int, damage: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        tables = _tables(connection)
        connection.execute(damage)
        connection.commit()
    store = EmbeddedScalarStore(path.parent)
    with pytest.raises(Unavailable, match="damaged"):
        await store.summary(PROJECT)
    await store.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)
        assert _tables(connection) == tables


async def test_file_of_a_later_version_is_refused_and_says_what_to_do(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=99")
    store = EmbeddedScalarStore(path.parent)
    with pytest.raises(SchemaMismatch, match=r"schema 99.*install a later version"):
        await store.summary(PROJECT)
    await store.close()
