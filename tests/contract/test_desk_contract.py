"""What a worker is answered at its desk, in process and over HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from entrypoints.http.app import create_app
from tests.factories import new_id
from tracker.adapters.desk.http import HttpDesk
from tracker.container import Container, build, start, stop
from tracker.domain.errors import Conflict, Invalid, Unauthenticated, Unavailable
from tracker.domain.evaluation.jobs.desks.service import DirectDesk
from tracker.domain.evaluation.jobs.errand import Errand
from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.evaluation.jobs.passes import JobPass, digest_of
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.identity.actor import local_actor
from tracker.domain.ids import JobId
from tracker.ports.evaluation.desk import Desk
from tracker.settings import Settings

ROOT = local_actor("shell")
ROWS = b"examples,ground_truth\n" + b"".join(b"row %d,truth %d\n" % (n, n) for n in range(1, 4))
SECRET = "sk-of-the-endpoint"


class Sent:
    """A job of which an attempt was sent off.

    Args:
        container: the installation.
        desk: makes a desk for an attempt.
        errand: that was sent.
    """

    def __init__(self, container: Container, desk: Callable[[JobId, int], Desk], errand: Errand) -> None:
        self.container = container
        self.errand = errand
        self.new_desk = lambda: desk(errand.job_id, errand.attempt)
        self.desk = self.new_desk()


@pytest.fixture(params=["direct", "http"])
async def sent(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Sent]:
    container = build(Settings(data=tmp_path, database_url=f"sqlite:///{tmp_path}/t.db", auth="required"))
    await start(container)
    app, desks = create_app(container), []

    def desk(job_id: JobId, attempt: int) -> Desk:
        if request.param == "direct":
            return DirectDesk(container.desk(), job_id, attempt)
        transport = httpx.ASGITransport(app)
        desks.append(HttpDesk("http://tracker.example", job_id, attempt, transport))
        return desks[-1]

    await container.evaluation_secrets().put(ROOT, "key", SECRET)

    async def content() -> AsyncIterator[bytes]:
        yield ROWS

    dataset = await container.datasets().upload(ROOT, "rows.csv", content())
    model = {"model": "small", "provider": "openai", "base_url": "http://127.0.0.1:9/v1"}
    config = {**model, "secret_key_name": "key", "store_to_dataset": True}
    job = await container.jobs().create(
        ROOT, JobKind.INFERENCE, name="j", dataset_id=dataset.id, config=config
    )
    yield Sent(container, desk, await taken(container, job.id))
    for each in desks:
        await each.close()
    await stop(container)


async def taken(container: Container, job_id: JobId) -> Errand:
    """The errand of the job's next attempt, as an overseer sends it."""
    handle, now = "h" * 40, container.clock().now()
    async with container.units().writing() as unit:
        job = await unit.jobs.get(job_id)
        claimed = await unit.jobs.save(job.claim("test", at=now, rules=container.job_rules()))
        await unit.job_passes.put(
            JobPass(
                job_id=job_id, attempt=claimed.attempt, handle_digest=digest_of(handle), sent_by=ROOT.user_id
            )
        )
        await unit.commit()
    return Errand(job_id=job_id, attempt=claimed.attempt, kind=JobKind.INFERENCE, handle=handle)


def outcome(sent: Sent, number: int, text: str = "x") -> RowOutcome:
    return RowOutcome(
        number=number,
        input_hash=hashlib.sha256(b"%d" % number).hexdigest(),
        prediction=text,
        at=sent.container.clock().now(),
    )


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


class TestDesk:
    async def test_a_handle_is_exchanged_once_for_the_work_and_its_secrets(self, sent: Sent) -> None:
        admission = await sent.desk.admit(sent.errand.handle)
        assert admission.job.id == sent.errand.job_id
        assert admission.dataset.coverage.rows == 3
        assert {name: secret.value for name, secret in admission.secrets.items()} == {"key": SECRET}
        with pytest.raises(Unauthenticated):
            await sent.new_desk().admit(sent.errand.handle)

    async def test_nobody_is_let_in_without_the_pass(self, sent: Sent) -> None:
        with pytest.raises(Unauthenticated):
            await sent.desk.admit("x" * 40)
        with pytest.raises(Unauthenticated):
            await sent.new_desk().heartbeat()
        await sent.desk.admit(sent.errand.handle)
        with pytest.raises(Unauthenticated):
            await sent.new_desk().answered()

    async def test_the_dataset_comes_byte_by_byte(self, sent: Sent) -> None:
        await sent.desk.admit(sent.errand.handle)
        assert b"".join([piece async for piece in sent.desk.dataset()]) == ROWS

    async def test_signs_of_life_renew_the_lease(self, sent: Sent) -> None:
        await sent.desk.admit(sent.errand.handle)
        begun = await sent.desk.begin(3)
        assert await sent.desk.heartbeat() >= begun
        job = await sent.container.jobs().get(ROOT, sent.errand.job_id)
        assert (job.status, job.rows_total) == ("running", 3)

    async def test_what_came_of_rows_is_kept_told_and_remembered(self, sent: Sent) -> None:
        await sent.desk.admit(sent.errand.handle)
        await sent.desk.begin(3)
        kept = [outcome(sent, 1, "π \U0001f600\n"), outcome(sent, 3)]
        await sent.desk.keep(kept, {1: "a" * 64})
        assert await sent.desk.answered() == {1, 3}
        assert [each async for each in sent.desk.outcomes()] == kept
        found = await sent.desk.remembered(["a" * 64, "b" * 64])
        assert {key: each.prediction for key, each in found.items()} == {"a" * 64: kept[0].prediction}

    async def test_many_and_large_outcomes_are_kept_all(self, sent: Sent) -> None:
        await sent.desk.admit(sent.errand.handle)
        await sent.desk.begin(1203)
        await sent.desk.keep([outcome(sent, number) for number in range(1, 1201)], {})
        await sent.desk.keep([outcome(sent, number, "x" * 3_000_000) for number in range(1201, 1204)], {})
        assert [each.number async for each in sent.desk.outcomes()] == list(range(1, 1204))

    async def test_a_result_is_left_and_another_name_is_refused(self, sent: Sent) -> None:
        await sent.desk.admit(sent.errand.handle)
        await sent.desk.begin(3)
        with pytest.raises(Invalid):
            await sent.desk.leave("passwords", pieces(b"{}"))
        await sent.desk.leave("result", pieces(b'{"metrics": {}, ', b'"parameters": {}, "artifacts": {}}'))
        async with sent.container.units().reading() as unit:
            assert await unit.job_files.find([sent.errand.job_id], "result")

    async def test_who_is_to_stop_is_told_and_its_answers_are_kept(self, sent: Sent) -> None:
        await sent.desk.admit(sent.errand.handle)
        await sent.desk.begin(3)
        await sent.container.jobs().cancel(ROOT, sent.errand.job_id)
        with pytest.raises(Conflict):
            await sent.desk.heartbeat()
        with pytest.raises(Conflict):
            await sent.desk.keep([outcome(sent, 2)], {})
        with pytest.raises(Conflict):
            await sent.desk.answered()  # it has nothing more to know
        async with sent.container.units().reading() as unit:
            assert await unit.job_rows.answered(sent.errand.job_id) == {2}


async def test_a_server_that_is_away_is_unavailable() -> None:
    desk = HttpDesk("http://127.0.0.1:9", JobId(new_id()), 1)
    with pytest.raises(Unavailable):
        await desk.heartbeat()
    await desk.close()
