"""One attempt at its desk: what it keeps of its lease, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import traceback
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tracker.adapters.runners.handover import Handover, WorkerConfig
from tracker.domain.errors import Conflict, Forbidden, Invalid, TrackerError, Unauthenticated, Unavailable
from tracker.domain.evaluation.jobs.errand import Errand
from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.ids import JobId
from tracker.ports.evaluation.desk import Admission
from tracker.worker.attempt import attend
from tracker.worker.endings import Ended, Ending
from tracker.worker.lease_keeper import DeskLost, LeaseKeeper

NOW = datetime(2026, 1, 1, tzinfo=UTC)
QUICK = Rules(lease=timedelta(seconds=0.5), heartbeat=timedelta(seconds=0.05), margin=timedelta(seconds=0.02))
LOST = Conflict("lease: attempt 1 has lost the job to attempt 2 of another")
AWAY = Unavailable("the database does not answer")


class Seconds:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class PaperDesk:
    """A desk that keeps what it gets, and fails as it is told to.

    Attributes:
        failures: by method, what its next calls raise.
        always: by method, what all its calls raise.
        kept: numbers of rows.
    """

    def __init__(self) -> None:
        self.failures: dict[str, list[TrackerError]] = {}
        self.always: dict[str, TrackerError] = {}
        self.calls: list[str] = []
        self.kept: list[int] = []
        self.during: Callable[[], None] = lambda: None

    def _called(self, name: str) -> datetime:
        self.calls.append(name)
        self.during()
        if self.failures.get(name):
            raise self.failures[name].pop(0)
        if name in self.always:
            raise self.always[name]
        return NOW

    async def admit(self, handle: str) -> Admission:
        self._called("admit")
        return None  # type: ignore[return-value]  (what is admitted is the work's business)

    async def begin(self, rows_total: int | None) -> datetime:
        return self._called("begin")

    async def heartbeat(self) -> datetime:
        return self._called("heartbeat")

    async def answered(self) -> frozenset[int]:
        self._called("answered")
        return frozenset(self.kept)

    async def remembered(self, keys: Collection[str]) -> Mapping[str, RowOutcome]:
        return {}

    async def keep(self, outcomes: Sequence[RowOutcome], keys: Mapping[int, str]) -> datetime:
        self.kept += [outcome.number for outcome in outcomes]
        return self._called("keep")

    async def dataset(self) -> AsyncIterator[bytes]:
        yield b""

    async def outcomes(self) -> AsyncIterator[RowOutcome]:
        for _ in ():
            yield _

    async def leave(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        self._called("leave")


def outcome(number: int) -> RowOutcome:
    return RowOutcome(number=number, input_hash="a" * 64, prediction="yes", at=NOW)


def config(**more: Any) -> WorkerConfig:
    errand = Errand(
        job_id=JobId(uuid.UUID(int=1)), attempt=1, kind=JobKind.INFERENCE, handle="h" * 40, **more
    )
    return WorkerConfig(errand=errand, rules=QUICK)


async def until(condition: Callable[[], object]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to that")


class TestLease:
    """Rows are begun only while nobody else can have the job."""

    async def test_rows_may_begin_from_a_sign_of_life_until_a_margin_before_the_lease_ends(self) -> None:
        seconds = Seconds()
        lease = LeaseKeeper(PaperDesk(), Rules(), seconds=seconds)
        assert not lease.may_begin_row()
        await lease.begin(3)
        assert lease.may_begin_row()
        seconds.now += 7.99
        assert lease.may_begin_row()
        seconds.now += 0.01
        assert not lease.may_begin_row()

    async def test_the_lease_counts_from_when_the_sign_was_sent(self) -> None:
        desk, seconds = PaperDesk(), Seconds()

        def slowly() -> None:
            seconds.now += 6

        desk.during = slowly
        lease = LeaseKeeper(desk, Rules(), seconds=seconds)
        await lease.keep([outcome(1)], {})
        seconds.now += 1.9
        assert lease.may_begin_row()
        seconds.now += 0.2
        assert not lease.may_begin_row()

    async def test_a_turn_waits_until_the_lease_is_renewed(self) -> None:
        desk, seconds = PaperDesk(), Seconds()
        desk.always["heartbeat"] = AWAY
        async with LeaseKeeper(desk, QUICK, seconds=seconds) as lease:
            turns = [asyncio.create_task(lease.turn()) for _ in range(3)]
            await until(lambda: desk.calls.count("heartbeat") > 2)
            assert not any(turn.done() for turn in turns)
            desk.always.clear()
            await asyncio.wait_for(asyncio.gather(*turns), 10)

    async def test_signs_of_life_go_on_while_the_work_does_something_else(self) -> None:
        desk = PaperDesk()
        async with LeaseKeeper(desk, QUICK):
            await until(lambda: desk.calls.count("heartbeat") > 3)
        seen = desk.calls.count("heartbeat")
        await asyncio.sleep(0.2)
        assert desk.calls.count("heartbeat") == seen

    async def test_one_that_lost_its_job_begins_nothing_but_brings_what_it_has(self) -> None:
        desk = PaperDesk()
        desk.always = {"heartbeat": LOST, "keep": LOST}
        async with LeaseKeeper(desk, QUICK) as lease:
            await asyncio.wait_for(lease.until_over(), 10)
            assert not lease.may_begin_row()
            with pytest.raises(Conflict, match="has lost the job"):
                await lease.turn()
            with pytest.raises(Conflict, match="has lost the job"):
                await lease.ask(desk.answered)
            with pytest.raises(Conflict, match="has lost the job"):
                await lease.keep([outcome(7)], {})
        assert desk.kept == [7]
        assert "answered" not in desk.calls

    @pytest.mark.parametrize(
        "error", [Unauthenticated("the pass of this attempt is not right"), Invalid("what is this?")]
    )
    async def test_one_whose_signs_of_life_are_refused_waits_for_nothing_more(
        self, error: TrackerError
    ) -> None:
        desk = PaperDesk()
        desk.failures["heartbeat"] = [error]

        async def work(_: Any, __: Any, lease: LeaseKeeper) -> None:
            while True:
                await lease.turn()
                await asyncio.sleep(0.01)

        told = await asyncio.wait_for(attend(desk, config(), work, grace=1), 20)
        assert told.status is Ended.CRASHED and error.detail in told.why

    async def test_a_desk_that_does_not_answer_is_asked_again(self) -> None:
        desk = PaperDesk()
        desk.failures = {"begin": [AWAY, AWAY], "answered": [AWAY]}
        lease = LeaseKeeper(desk, QUICK)
        await lease.begin(1)
        assert await lease.ask(desk.answered) == frozenset()
        assert desk.calls == ["begin"] * 3 + ["answered"] * 2

    async def test_a_desk_that_is_silent_for_too_long_is_given_up(self) -> None:
        desk, seconds = PaperDesk(), Seconds()
        desk.always = {"answered": AWAY}

        def later() -> None:
            seconds.now += 100

        desk.during = later
        lease = LeaseKeeper(desk, QUICK, endurance=250, seconds=seconds)
        with pytest.raises(DeskLost, match="has not answered for 300 s: the database does not answer"):
            await lease.ask(desk.answered)
        with pytest.raises(DeskLost):
            await lease.turn()


class TestEnding:
    """How an attempt ends is what its runner tells."""

    async def end_of(self, work: Any, desk: PaperDesk | None = None, **more: Any) -> Ending:
        return await asyncio.wait_for(attend(desk or PaperDesk(), config(), work, **more), 30)

    async def test_done_is_finished(self) -> None:
        async def work(desk: Any, admission: Any, lease: LeaseKeeper) -> None:
            await lease.begin(1)
            await lease.turn()

        assert await self.end_of(work) == Ending(Ended.FINISHED)

    @pytest.mark.parametrize(
        "error",
        [Invalid("no metric of this name"), Unauthenticated("the key was refused"), Forbidden("no"),
         Unavailable("pip install 'tracker[evaluation]'")],
        ids=lambda error: type(error).__name__,
    )  # fmt: skip
    async def test_what_another_attempt_would_meet_again_is_refused(self, error: TrackerError) -> None:
        async def work(*_: Any) -> None:
            raise error

        async def grouped(*_: Any) -> None:
            raise ExceptionGroup("tasks", [ExceptionGroup("more", [error])])

        assert await self.end_of(work) == Ending(Ended.REFUSED, error.detail)
        assert await self.end_of(grouped) == Ending(Ended.REFUSED, error.detail)

    async def test_a_bug_is_told_in_a_line_and_printed_in_full(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        async def work(*_: Any) -> None:
            raise ZeroDivisionError("by zero\nand more")

        told = "the worker broke down: ZeroDivisionError: by zero"
        assert await self.end_of(work) == Ending(Ended.REFUSED, told)
        assert "and more" in capsys.readouterr().err

    async def test_what_is_under_way_when_the_job_is_lost_is_kept(self) -> None:
        desk = PaperDesk()

        async def work(desk: Any, admission: Any, lease: LeaseKeeper) -> None:
            await lease.begin(2)
            desk.always["heartbeat"] = LOST
            await lease.until_over()
            await asyncio.sleep(0.1)
            await lease.keep([outcome(1)], {})
            await lease.turn()

        assert await self.end_of(work, desk) == Ending(Ended.CRASHED, LOST.detail)
        assert desk.kept == [1]

    async def test_work_that_does_not_end_is_cut_off(self) -> None:
        desk = PaperDesk()
        desk.always["heartbeat"] = LOST

        async def work(*_: Any) -> None:
            await asyncio.sleep(600)

        assert await self.end_of(work, desk, grace=0.1) == Ending(Ended.CRASHED, LOST.detail)

    async def test_a_conflict_of_the_work_alone_leaves_it_to_another_attempt(self) -> None:
        async def work(*_: Any) -> None:
            raise ExceptionGroup("tasks", [ValueError("another slot"), LOST])

        assert await self.end_of(work) == Ending(Ended.CRASHED, LOST.detail)

    async def test_told_to_end_it_ends_in_order(self) -> None:
        async def work(desk: Any, admission: Any, lease: LeaseKeeper) -> None:
            await lease.begin(1)
            os.kill(os.getpid(), signal.SIGTERM)
            await lease.until_over()
            await lease.turn()

        assert await self.end_of(work) == Ending(Ended.CRASHED, "it was told to end (SIGTERM)")

    async def test_a_handle_that_is_not_taken_leaves_it_to_another_attempt(self) -> None:
        desk = PaperDesk()
        desk.always["admit"] = Unauthenticated("the handle of this attempt is not right, or was used")

        async def work(*_: Any) -> None:
            raise AssertionError("it was not admitted")

        told = await self.end_of(work, desk)
        assert told.status is Ended.CRASHED
        assert "the desk did not admit it" in told.why

    async def test_a_desk_that_is_away_at_first_is_asked_again(self) -> None:
        desk = PaperDesk()
        desk.failures["admit"] = [AWAY]

        async def work(*_: Any) -> None:
            return

        assert await self.end_of(work, desk) == Ending(Ended.FINISHED)


class TestHandover:
    """Files and pipes bring over what was put in."""

    def test_a_config_is_read_as_it_was_written(self) -> None:
        errand = Errand(
            job_id=JobId(uuid.uuid4()), attempt=3, kind=JobKind.EVALUATOR, handle="ü" * 40,
            seconds=1.5, memory_bytes=10, gpus=0.5,
        )  # fmt: skip
        for one in (
            WorkerConfig(errand=errand),
            WorkerConfig(
                errand=errand, desk_url="https://host/x", rules=QUICK, program="a.b:c", output="stdout"
            ),
        ):
            assert WorkerConfig.from_bytes(one.to_bytes()) == one

    @pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"{}", b'{"errand": {}, "rules": {}}'])
    def test_what_is_no_config_is_refused(self, raw: bytes) -> None:
        with pytest.raises(Invalid):
            WorkerConfig.from_bytes(raw)

    def test_what_is_handed_over_shows_in_no_representation(self) -> None:
        handover = Handover(settings={"DATABASE_URL": "pass-4711"}, environment={"KEY": "pass-4711"})
        assert Handover.from_bytes(handover.to_bytes()) == handover
        assert "4711" not in repr(handover) + repr(WorkerConfig(errand=config().errand))
        assert config().errand.handle not in repr(config())
        assert Handover.from_bytes(b"") == Handover()
        with pytest.raises(Invalid, match="cannot be read"):
            Handover.from_bytes(b"pass-4711")

    @pytest.mark.parametrize("cut", [-1, -3, -25])
    def test_what_is_handed_over_in_part_shows_in_no_traceback(self, cut: int) -> None:
        raw = Handover(
            settings={"AUTH": "required", "DATABASE_URL": "postgresql://u:hunter2@h/db"}
        ).to_bytes()
        for given in (raw[:cut], b'{"settings": "hunter2"}', b'{"settings": {}, "hunter2": "hunter2"}'):
            with pytest.raises(Invalid, match="cannot be read") as caught:
                Handover.from_bytes(given)
            assert "hunter2" not in "".join(traceback.format_exception(caught.value))
