"""Time series in ClickHouse: what the contract cannot see from outside."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from tests.brute_force import assert_sampled
from tracker.domain.errors import Invalid, SchemaMismatch, Unavailable
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch
from tracker.domain.scalars.series import Axis, SampleQuery

clickhouse_connect = pytest.importorskip("clickhouse_connect", reason="needs the extra clickhouse")

from tracker.adapters.scalars.clickhouse import ClickHouseScalarStore  # noqa: E402
from tracker.adapters.scalars.clickhouse.address import Address  # noqa: E402

PROJECT = ProjectId(UUID(int=1))
RUN = ExperimentId(UUID(int=7))
PARTS = "FROM system.parts WHERE database = currentDatabase() AND table = 'scalars' AND active"


@pytest.fixture
async def store(clickhouse_url: str) -> AsyncIterator[ClickHouseScalarStore]:
    opened = ClickHouseScalarStore(clickhouse_url)
    yield opened
    await opened.close()


def ask(url: str, question: str) -> list[tuple]:
    """What SQL answers in the database of a store."""
    address = Address.parse(url)
    client = clickhouse_connect.get_client(dsn=address.dsn, database=address.database)
    try:
        return list(client.query(question).result_rows)
    finally:
        client.close()


def change(url: str, statement: str) -> None:
    address = Address.parse(url)
    client = clickhouse_connect.get_client(dsn=address.dsn, database=address.database)
    client.command(statement)
    client.close()


def curve(
    value: np.ndarray, *, step: np.ndarray | None = None, time: np.ndarray | None = None
) -> ScalarBatch:
    step = np.arange(len(value)) if step is None else step
    return ScalarBatch(
        id=BatchId(uuid4()),
        experiment_id=RUN,
        names=("loss",),
        series=np.zeros(len(value), np.int64),
        step=step,
        time=step * 1000 if time is None else time,
        value=value,
    )


async def test_batch_of_any_length_is_one_part(store: ClickHouseScalarStore, clickhouse_url: str) -> None:
    size = 1_200_000  # ClickHouse cuts at 1,048,449 by default
    await store.append(PROJECT, curve(np.arange(float(size)), step=np.zeros(size, np.int64)))
    assert ask(clickhouse_url, f"SELECT rows {PARTS}") == [(size + 1,)]
    assert (await store.read(PROJECT, RUN, "loss")).value.tolist() == list(range(size))


@pytest.mark.parametrize("axis", Axis)
@pytest.mark.parametrize("max_points", [1, 3, 400])
async def test_server_thins_a_long_series_as_the_contract_says(
    store: ClickHouseScalarStore, axis: Axis, max_points: int
) -> None:
    rng = np.random.default_rng(5)
    value = rng.integers(-5, 5, 30_000).astype(np.float64)
    value[rng.random(len(value)) < 0.01] = np.nan
    step, time = rng.integers(-9000, 9000, len(value)), rng.integers(-(2**62), 2**62, len(value))
    await store.append(PROJECT, curve(value, step=step, time=time))
    query = SampleQuery(experiments=(RUN,), max_points=max_points, axis=axis)
    order = np.argsort(step, kind="stable")
    rows = zip(step[order].tolist(), time[order].tolist(), value[order], strict=True)
    (sampled,) = await store.sample(PROJECT, query)
    assert_sampled(sampled, [(s, t, v.tobytes()) for s, t, v in rows], max_points, axis)


async def test_two_stores_send_the_same_batch_at_once_and_it_is_kept_once(clickhouse_url: str) -> None:
    stores = [ClickHouseScalarStore(clickhouse_url) for _ in range(2)]
    sent = [curve(np.ones(3)) for _ in range(5)] + [curve(np.ones(20_000))]
    await asyncio.gather(*(store.append(PROJECT, batch) for batch in sent for store in stores))
    assert len(await stores[0].read(PROJECT, RUN, "loss")) == 20_015
    for store in stores:
        await store.close()


async def test_batch_that_arrives_after_a_deletion_stays_hidden_and_is_removed(
    store: ClickHouseScalarStore, clickhouse_url: str
) -> None:
    await store.append(PROJECT, curve(np.ones(50_000)))
    await store.delete(PROJECT, RUN)
    change(
        clickhouse_url,
        "INSERT INTO scalars (project, kind, experiment, name, step, time, value)"
        f" VALUES ('{PROJECT}', 'point', '{RUN}', 'loss', 1, 1, 1)",
    )
    assert await store.summary(PROJECT) == ()
    assert len(await store.read(PROJECT, RUN, "loss")) == 0
    assert (await store.since(PROJECT, RUN)).series == ()
    await store.maintain(60.0)
    assert ask(clickhouse_url, "SELECT count() FROM scalars") == [(0,)]
    assert ask(clickhouse_url, f"SELECT sum(rows) {PARTS}") == [(0,)]


async def test_summary_reads_no_points(store: ClickHouseScalarStore, clickhouse_url: str) -> None:
    await store.append(PROJECT, curve(np.ones(20_000)))
    question = (
        "EXPLAIN SELECT experiment, name, count(), argMax((time, value), (step, time, arrival)) FROM scalars"
        f" WHERE project = '{PROJECT}' AND kind = 'point' AND experiment NOT IN"
        " (SELECT experiment FROM scalars_deleted) GROUP BY experiment, name"
    )
    assert any("ReadFromMergeTree (summary)" in line for (line,) in ask(clickhouse_url, question))


async def test_damaged_part_is_named(store: ClickHouseScalarStore, clickhouse_url: str) -> None:
    await store.append(PROJECT, curve(np.random.default_rng(1).random(20_000)))
    assert await store.verify(PROJECT) == ()
    where = (
        "SELECT path FROM system.parts WHERE database = currentDatabase() AND table = 'scalars' AND active"
    )
    ((folder,),) = ask(clickhouse_url, where)
    (data,) = Path(folder).glob("data.bin")
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 0xFF
    data.write_bytes(content)
    (fault,) = await store.verify(PROJECT)
    assert fault.problem.startswith(f"part {Path(folder).name}: ")


async def test_tables_of_another_version_are_refused(
    store: ClickHouseScalarStore, clickhouse_url: str
) -> None:
    await store.check()
    change(clickhouse_url, "ALTER TABLE scalars MODIFY COMMENT 'tracker scalars, schema 99'")
    late = ClickHouseScalarStore(clickhouse_url)
    with pytest.raises(SchemaMismatch, match="99"):
        await late.check()
    await late.close()


@pytest.mark.parametrize("scheme", ["clickhouse", "clickhouses"])
async def test_server_that_does_not_answer_is_unavailable_and_its_password_untold(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    store = ClickHouseScalarStore(f"{scheme}://user:secret@127.0.0.1:{port}/db")
    with pytest.raises(Unavailable, match="does not answer") as raised:
        await store.append(PROJECT, curve(np.ones(1)))
    assert raised.value.retry_after > 0 and "secret" not in str(raised.value)
    await store.close()


@pytest.mark.parametrize(
    ("url", "database", "dsn", "secure"),
    [
        ("clickhouse://h", "tracker", "clickhouse://h", False),
        ("clickhouse://u:p@h:9/runs", "runs", "clickhouse://u:p@h:9", False),
        ("clickhouse://h/?database=runs&secure=true", "runs", "clickhouse://h", True),
        ("clickhouses://h/runs", "runs", "clickhouse://h", True),
        ("chdb:///a/b?database=runs", "runs", "chdb:///a/b", False),
    ],
)
def test_url_names_server_and_database(url: str, database: str, dsn: str, secure: bool) -> None:
    address = Address.parse(url)
    assert (address.database, address.dsn.partition("?")[0], address.secure) == (database, dsn, secure)


@pytest.mark.parametrize(
    "url",
    [
        "http://u:secret@h/db",
        "clickhouse:///secret",
        "chdb://secret/db",
        "clickhouse://h/`secret`",
        "clickhouse://u:secret@h/db?host=elsewhere",
    ],
)
def test_url_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(Invalid) as raised:
        ClickHouseScalarStore(url)
    assert "secret" not in str(raised.value)
