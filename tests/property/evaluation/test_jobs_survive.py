"""Whatever dies, and whenever: no row is paid twice beyond those in flight, and every job has an end."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.property.evaluation.job_world import ROWS, RULES, SLOTS, World
from tests.tries import tries
from tracker.domain.evaluation.events import Cause
from tracker.domain.evaluation.jobs.deciding import Sighting
from tracker.domain.evaluation.jobs.status import JobStatus

# From the slowest end there is: all attempts, each with its lease, pause and patience, then a queue.
ENOUGH = 3000
STARTED = (JobStatus.PENDING, JobStatus.RUNNING)


class Jobs(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.attempts = 0

    @rule(dies_after=st.sampled_from([None, None, None, "deciding", "saving", "telling"]))
    def look(self, dies_after: str | None) -> None:
        self.world.look(dies_after)

    @rule(seconds=st.sampled_from([0.5, 1, 3, 8, 10, 60]))
    def time_passes(self, seconds: float) -> None:
        self.world.now += timedelta(seconds=seconds)

    @rule(seconds=st.integers(1, 15), steps=st.just(1))
    def all_goes_well_for_a_while(self, seconds: int, steps: int) -> None:
        self.world.goes_on(seconds, steps)

    @rule()
    def a_slot_is_free(self) -> None:
        self.world.start_worker()

    @precondition(lambda self: self.world.everyone())
    @rule(data=st.data(), steps=st.integers(1, 6))
    def a_worker_works(self, data: st.DataObject, steps: int) -> None:
        worker = data.draw(st.sampled_from(self.world.everyone()), label="worker")
        for _ in range(steps):
            self.world.work(worker)

    @precondition(lambda self: self.world.everyone())
    @rule(data=st.data())
    def a_worker_gives_a_sign_of_life(self, data: st.DataObject) -> None:
        self.world.heartbeat(data.draw(st.sampled_from(self.world.everyone()), label="worker"))

    @precondition(lambda self: self.world.everyone())
    @rule(data=st.data())
    def a_worker_falls_asleep_or_wakes_up(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(self.world.everyone()), label="worker")
        worker.asleep = not worker.asleep
        for _ in range(7):
            self.world.work(worker)

    @precondition(lambda self: self.world.workers)
    @rule(data=st.data(), how=st.sampled_from([Sighting.CRASHED, Sighting.REFUSED]))
    def a_worker_dies(self, data: st.DataObject, how: Sighting) -> None:
        self.world.end_worker(data.draw(st.sampled_from(sorted(self.world.workers)), label="attempt"), how)

    @rule(leaves_workers=st.booleans())
    def the_runner_dies(self, leaves_workers: bool) -> None:
        self.world.kill_runner(leaves_workers)

    @rule()
    def the_runner_goes_out_of_reach_or_comes_back(self) -> None:
        self.world.runner_up = not self.world.runner_up

    @rule()
    def the_runner_no_longer_kills_or_does_so_again(self) -> None:
        self.world.deaf = not self.world.deaf

    @precondition(lambda self: self.world.workers)
    @rule()
    def workers_hang_and_nobody_can_kill_them(self) -> None:
        self.world.deaf = True
        for worker in self.world.everyone():
            worker.asleep = True

    @precondition(lambda self: not self.world.job.status.has_ended)
    @rule(sure=st.sampled_from([False, False, True]))
    def somebody_stops_it(self, sure: bool) -> None:
        if sure:
            self.world.job = self.world.job.ask_stop("ann wants it", at=self.world.now)

    @precondition(lambda self: self.world.job.status in (JobStatus.FAILED, JobStatus.STOPPED))
    @rule()
    def somebody_wants_the_rest(self) -> None:
        self.world.job = self.world.job.retry(at=self.world.now)

    @invariant()
    def no_row_is_paid_for_twice_beyond_those_in_flight(self) -> None:
        assert all(count <= SLOTS for count in self.world.paid_again().values())
        assert all(count == 1 for count in self.world.payments.values())

    @invariant()
    def the_job_says_why_it_is_in_its_state(self) -> None:
        job = self.world.job
        assert job.events[-1].status == job.status and job.why
        assert job.attempt >= self.attempts
        self.attempts = job.attempt
        if job.status is JobStatus.SUCCEEDED:
            assert len(self.world.answered) == ROWS
        if job.status in (JobStatus.FAILED, JobStatus.STOPPED):
            assert job.events[-1].cause not in (Cause.CREATED, Cause.CLAIMED, Cause.INTERRUPTED)
            assert job.lease is None
        ended_by_us = job.events[-1].cause in (Cause.STOPPED, Cause.TIMED_OUT, Cause.NO_SLOT)
        told = any("not confirm" in one.why or one.cause is Cause.RUNNER_UNREACHABLE for one in job.events)
        if ended_by_us and not told:
            assert job.attempt not in self.world.workers

    def teardown(self) -> None:
        """Faults end, sleepers sleep on, and the clock does its work, whether the runner is there or not."""
        self.world.goes_on(ENOUGH)
        assert self.world.job.status.has_ended, self.world.job
        self.world.look()
        if self.world.runner_up and not self.world.deaf:
            assert self.world.job.attempt not in self.world.workers
        self.no_row_is_paid_for_twice_beyond_those_in_flight()
        self.the_job_says_why_it_is_in_its_state()


Jobs.TestCase.settings = settings(max_examples=tries(150), stateful_step_count=50, deadline=None)
TestJobs = Jobs.TestCase
assert RULES.attempts * 2 * RULES.lease < timedelta(seconds=ENOUGH)
