"""The desk over HTTP: all that a worker on another machine asks, through the whole application."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from dependency_injector import providers

from entrypoints.http.app import create_app
from tests.service.evaluation.lab import CSV, pieces
from tracker.adapters.desk.http import HttpDesk
from tracker.adapters.memory.blobs import MemoryBlobStore
from tracker.adapters.memory.scalars import MemoryScalarStore
from tracker.adapters.memory.unit_of_work import MemoryUnitsOfWork
from tracker.container import Container, build
from tracker.domain.errors import Conflict, Unauthenticated
from tracker.domain.evaluation.datasets.hashing import input_hash
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.domain.evaluation.jobs.passes import JobPass, digest_of
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.identity.actor import LOCAL_USER, local_actor
from tracker.domain.ids import JobId
from tracker.settings import Settings

ROOT = local_actor("test")
HANDLE = "h" * 64
MOST = 100_000  # bytes of a body, by the setting
URL = "http://tracker.example"


@pytest.fixture
def container(tmp_path: Path) -> Container:
    made = build(
        Settings(
            data=tmp_path, database_url="sqlite:///:memory:", auth="required", max_body_bytes=MOST
        )
    )  # fmt: skip
    made.units.override(providers.Object(MemoryUnitsOfWork()))
    made.scalar_store.override(providers.Object(MemoryScalarStore()))
    made.blob_store.override(providers.Object(MemoryBlobStore()))
    return made


@pytest.fixture
async def job(container: Container) -> Job:
    """One whose first attempt was sent out."""
    dataset = await container.datasets().upload(ROOT, "rows.csv", pieces(CSV))
    now = container.clock().now()
    made = Job.created(
        at=now, id=JobId(container.ids().new()), project_id=dataset.project_id, kind=JobKind.INFERENCE,
        name="j", dataset_id=dataset.id, config={"model": "m", "provider": "ollama"}, created_by=LOCAL_USER,
    ).claim("test", at=now, rules=Rules())  # fmt: skip
    async with container.units().writing() as unit:
        await unit.jobs.add(made)
        await unit.job_passes.put(
            JobPass(job_id=made.id, attempt=1, handle_digest=digest_of(HANDLE), sent_by=LOCAL_USER)
        )
        await unit.commit()
    return made


@pytest.fixture
async def desk(container: Container, job: Job) -> AsyncIterator[HttpDesk]:
    opened = HttpDesk(URL, job.id, 1, transport=httpx.ASGITransport(create_app(container)))
    yield opened
    await opened.close()


def outcome(container: Container, number: int, prediction: str) -> RowOutcome:
    called = input_hash(str(number)).hex()
    return RowOutcome(
        number=number, input_hash=called, prediction=prediction, at=container.clock().now()
    )  # fmt: skip


async def test_a_worker_elsewhere_is_told_all_and_leaves_all(
    container: Container, job: Job, desk: HttpDesk
) -> None:
    told = await desk.admit(HANDLE)
    assert told.job.id == job.id and told.dataset.id == job.dataset_id
    assert b"".join([piece async for piece in desk.dataset()]) == CSV
    await desk.begin(3)
    rows = [outcome(container, number, "ü" * 10) for number in (1, 2)]
    until = await desk.keep(rows, {1: "a" * 64})
    assert until <= await desk.heartbeat()
    assert await desk.answered() == {1, 2}
    assert (await desk.remembered(["a" * 64, "b" * 64])).keys() == {"a" * 64}
    assert [each async for each in desk.outcomes()] == rows
    document = {"metrics": {}, "parameters": {}, "artifacts": {}}
    await desk.leave("result", pieces(json.dumps(document).encode()))
    async with container.units().writing() as unit:
        present = await unit.jobs.get(job.id)
        await unit.jobs.save(present.ask_stop("enough", at=container.clock().now()))
        await unit.commit()
    with pytest.raises(Conflict, match="to be stopped"):
        await desk.heartbeat()


async def test_a_row_that_was_paid_is_kept_however_small_bodies_have_to_be(
    container: Container, desk: HttpDesk
) -> None:
    await desk.admit(HANDLE)
    await desk.begin(3)
    long = outcome(container, 1, "x" * (5 * MOST))
    await desk.keep([long], {})
    assert [each async for each in desk.outcomes()] == [long]


async def test_nothing_is_read_of_who_has_no_pass(container: Container, job: Job, desk: HttpDesk) -> None:
    await desk.admit(HANDLE)
    read = 0

    async def much() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(200):
            read += 1
            yield b"[" * 2**20

    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app(container)), base_url=URL) as http:
        wrong = {"Authorization": "Bearer x"}
        paths = (f"{job.id}/1", f"{job.id}/2", f"{job.dataset_id}/1")
        for path, headers in ((paths[0], {}), *((path, wrong) for path in paths)):
            read = 0
            answer = await http.post(
                f"/api/v1/desk/{path}/rows", content=much(),
                headers={**headers, "Content-Type": "application/json"},
            )  # fmt: skip
            assert answer.status_code == 401 and read < 100, (answer.text, read)


async def test_a_handle_that_was_used_is_no_handle(desk: HttpDesk) -> None:
    await desk.admit(HANDLE)
    with pytest.raises(Unauthenticated):
        await desk.admit(HANDLE)
