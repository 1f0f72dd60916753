"""What the desk gives to whom, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from tests.service.evaluation.lab import Lab
from tracker.adapters.security.secret_source import SystemSecrets
from tracker.domain.errors import Conflict, Unauthenticated
from tracker.domain.evaluation.jobs.deciding import Sighting
from tracker.domain.evaluation.jobs.desks.service import DeskService, Shown
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.passes import LATE, digest_of
from tracker.domain.evaluation.secrets import SealedSecret
from tracker.domain.ids import JobId, UserId
from tracker.ports.unit_of_work import ReadingUnit, WritingUnit

INFERENCE = {"model": "small", "provider": "openai", "base_url": "http://localhost:1/v1"}


async def an_inference(lab: Lab, **config: Any) -> Job:
    dataset = await lab.upload()
    return await lab.jobs.create(
        lab.actor, JobKind.INFERENCE, name="j", dataset_id=dataset.id, config={**INFERENCE, **config}
    )


async def test_an_attempt_that_lost_its_job_brings_rows_and_learns_nothing_more(lab: Lab):
    job = await an_inference(lab)
    await lab.seconds_pass(1)
    lost, _ = await lab.take_up(job.id)
    await lost.begin(3)
    lab.sees(job.id, Sighting.CRASHED)
    await lab.seconds_pass(4)
    present, _ = await lab.take_up(job.id)
    with pytest.raises(Conflict, match="has lost the job"):
        await lost.keep([lab.answer(1, "one")], {1: "a" * 64})
    questions: list[Callable[[], Any]] = [
        lost.answered, lambda: lost.remembered(["a" * 64]), lambda: anext(lost.dataset()),
        lambda: anext(lost.outcomes()),
    ]  # fmt: skip
    for question in questions:
        with pytest.raises(Conflict, match="has lost the job"):
            await question()
    assert await present.answered() == {1} and len(await present.remembered(["a" * 64])) == 1


@pytest.mark.parametrize("ends", ["well", "deleted project"])
async def test_a_pass_is_worth_nothing_once_its_job_is_over(lab: Lab, ends: str):
    job = await an_inference(lab)
    await lab.seconds_pass(1)
    desk, _ = await lab.take_up(job.id)
    await desk.begin(3)
    if ends == "well":
        await lab.jobs.cancel(lab.actor, job.id)
        await lab.everything_ends()
    else:
        async with lab.units.writing() as unit:
            await unit.projects.delete(job.project_id)
            await unit.commit()
    for question in (desk.heartbeat, desk.answered, lambda: anext(desk.dataset())):
        with pytest.raises((Conflict, Unauthenticated)):
            await question()


async def test_rows_come_late_but_not_for_ever(lab: Lab):
    job = await an_inference(lab)
    await lab.seconds_pass(1)
    desk, _ = await lab.take_up(job.id)
    await desk.begin(3)
    await lab.jobs.cancel(lab.actor, job.id)
    await lab.everything_ends()
    with pytest.raises(Conflict):
        await desk.keep([lab.answer(1, "one")], {1: "a" * 64})
    lab.clock.advance(seconds=(job.timeout + LATE + timedelta(seconds=1)).total_seconds())
    with pytest.raises(Unauthenticated, match="run out"):
        await desk.keep([lab.answer(2, "two")], {2: "b" * 64})
    async with lab.units.reading() as unit:
        assert await unit.job_rows.answered(job.id) == {1}
        assert set(await unit.answers.find(job.project_id, ["a" * 64, "b" * 64])) == {"a" * 64}


class RotatedBetween:
    """Units of work in which somebody rotates the keys between a value's being read and opened."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.rotation: asyncio.Task[Any] | None = None

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[WritingUnit]:
        async with self._lab.units.writing() as unit:
            read = unit.evaluation_secrets.sealed

            async def sealed(owner_id: UserId, name: str) -> SealedSecret | None:
                found = await read(owner_id, name)
                self.rotation = asyncio.create_task(self._lab.secrets.rotate(self._lab.actor))
                await asyncio.wait({self.rotation}, timeout=0.5)
                return found

            unit.evaluation_secrets.sealed = sealed  # type: ignore[method-assign]
            yield unit


async def test_a_rotation_takes_no_key_away_while_a_worker_is_given_its_secrets(lab: Lab):
    await lab.secrets.put(lab.actor, "mine", "s3cret")
    job = await an_inference(lab, secret_key_name="mine")
    await lab.seconds_pass(1)
    units = RotatedBetween(lab)
    desk = DeskService(
        units,  # type: ignore[arg-type]
        lab.store, lab.clock, leaving=None, secrets=SystemSecrets(), box=lab.box, shipped=tuple,  # type: ignore[arg-type]
    )  # fmt: skip
    told = await desk.admit(job.id, 1, lab.last_errand(job.id).handle)
    assert told.admission.secrets["mine"].value == "s3cret"
    assert units.rotation is not None and (await units.rotation).unreadable == ()


class SavedBetween:
    """Units of work in which a server saves the job between its being read and saved."""

    def __init__(self, lab: Lab, saves: Callable[[], Awaitable[object]]) -> None:
        self._lab = lab
        self._saves = saves
        self.saving: list[asyncio.Future[object]] = []

    def reading(self) -> ReadingUnit:
        return self._lab.units.reading()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[WritingUnit]:
        async with self._lab.units.writing() as unit:
            read = unit.jobs.get

            async def get(job_id: JobId) -> Job:
                found = await read(job_id)
                self.saving.append(asyncio.ensure_future(self._saves()))
                await asyncio.wait(self.saving, timeout=0.3)
                return found

            unit.jobs.get = get  # type: ignore[method-assign]
            yield unit


async def test_whoever_saves_the_job_at_the_same_time_takes_it_from_no_worker(lab: Lab):
    """A worker takes a conflict for the loss of its job: nothing else may be one."""
    job = await an_inference(lab)
    await lab.seconds_pass(1)
    await lab.take_up(job.id)

    async def saves() -> None:
        async with lab.units.writing() as unit:
            present = await unit.jobs.get(job.id)
            await unit.jobs.save(present.observed(present.unreachable_since is not None, at=lab.clock.now()))
            await unit.commit()

    units = SavedBetween(lab, saves)
    service = DeskService(
        units,  # type: ignore[arg-type]
        lab.store, lab.clock, leaving=None, secrets=SystemSecrets(), box=lab.box, shipped=tuple,  # type: ignore[arg-type]
    )  # fmt: skip
    async with lab.units.writing() as unit:
        sent = (await unit.job_passes.get(job.id, 1)).evolve(pass_digest=digest_of("token"))
        await unit.job_passes.put(sent)
        await unit.commit()
    shown = Shown(job.id, 1, "token")
    await service.begin(shown, 3)
    await service.heartbeat(shown)
    await service.keep(shown, [lab.answer(1, "one")], {})
    await asyncio.gather(*units.saving)
    assert len(units.saving) >= 3 and await service.answered(shown) == {1}
