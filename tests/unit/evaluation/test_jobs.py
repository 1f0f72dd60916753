"""Jobs one rule at a time; tests/property/evaluation/test_jobs_survive.py has all of them together."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.factories import NOON, new_id
from tests.property.evaluation.job_world import RULES, SECOND, TIMEOUT, World
from tracker.domain.errors import Conflict, Invalid, InvalidTransition
from tracker.domain.evaluation.events import MOST_EVENTS, Cause, Event, logged, reason
from tracker.domain.evaluation.jobs.deciding import Action, Report, Sighting, decide
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome, kept, rest
from tracker.domain.evaluation.jobs.status import JobStatus, check_move
from tracker.domain.ids import DatasetId, JobId, ProjectId

UNKNOWN, ALIVE = Report(Sighting.UNKNOWN), Report(Sighting.ALIVE)
GONE = Report(Sighting.UNREACHABLE, "connection refused")


def a_job(**fields: Any) -> Job:
    defaults: dict[str, Any] = {
        "id": JobId(new_id()),
        "project_id": ProjectId(new_id()),
        "kind": JobKind.INFERENCE,
        "name": "a job",
        "dataset_id": DatasetId(new_id()),
    }
    return Job.created(at=NOON, **{**defaults, **fields})


def running(at: datetime = NOON, **fields: Any) -> Job:
    claimed = a_job(**fields).claim("one", at=at, rules=RULES)
    return claimed.accept(1, at=at).begin(1, at=at, rows_total=10)


def told(job: Job) -> list[tuple[str, Cause]]:
    return [(event.status, event.cause) for event in job.events]


def test_a_job_that_waits_long_for_its_turn_has_no_event_for_each_lease() -> None:
    job = a_job().claim("one", at=NOON, rules=RULES).accept(1, at=NOON)
    at = NOON
    for _ in range(5):
        at += 2 * RULES.lease
        kept, job = told(job), job.adopt("one", at=at, rules=RULES)
        assert told(job) == kept and job.lease is not None and job.lease.is_live(at)
    job = job.adopt("two", at=at + 2 * RULES.lease, rules=RULES)
    assert told(job)[-1][1] is Cause.ADOPTED and job.lease is not None and job.lease.holder == "two"


def test_the_usual_life_is_told_state_by_state() -> None:
    job = running().succeed(at=NOON + SECOND)
    assert told(job) == [
        ("created", Cause.CREATED),
        ("created", Cause.CLAIMED),
        ("pending", Cause.ACCEPTED),
        ("running", Cause.BEGAN),
        ("succeeded", Cause.FINISHED),
    ]
    assert (job.why, job.updated_at, job.lease) == ("all of it is done", NOON + SECOND, None)


def test_states_that_nobody_reported_are_passed_through() -> None:
    job = a_job().claim("one", at=NOON, rules=RULES).succeed(at=NOON)
    assert [status for status, _ in told(job)] == ["created", "created", "pending", "running", "succeeded"]
    assert a_job().stop("not needed", at=NOON).status is JobStatus.STOPPED


MOVES = {
    ("created", "pending"), ("created", "failed"), ("created", "stopped"),
    ("pending", "running"), ("pending", "failed"), ("pending", "stopped"),
    ("running", "succeeded"), ("running", "failed"), ("running", "stopped"),
    ("failed", "pending"), ("stopped", "pending"),
}  # fmt: skip


@pytest.mark.parametrize("present", list(JobStatus))
@pytest.mark.parametrize("wanted", list(JobStatus))
def test_moves_are_those_of_the_contract(present: JobStatus, wanted: JobStatus) -> None:
    if (present, wanted) in MOVES:
        check_move(present, wanted)
    else:
        with pytest.raises(InvalidTransition, match=f"is {present} cannot become {wanted}"):
            check_move(present, wanted)


def test_nothing_is_done_with_a_job_that_has_ended() -> None:
    done = running().succeed(at=NOON)
    for act in (
        lambda: done.claim("two", at=NOON, rules=RULES),
        lambda: done.fail(Cause.TIMED_OUT, "late", at=NOON),
        lambda: done.stop("late", at=NOON),
        lambda: done.ask_stop("late", at=NOON),
        lambda: done.retry(at=NOON),
        lambda: done.interrupted("late", at=NOON, rules=RULES),
    ):
        with pytest.raises(InvalidTransition):
            act()
    assert decide(done, UNKNOWN, NOON, RULES).action is Action.NOTHING


def test_only_one_can_claim_a_job() -> None:
    claimed = a_job().claim("one", at=NOON, rules=RULES)
    with pytest.raises(Conflict, match="leased by one"):
        claimed.claim("two", at=NOON, rules=RULES)
    lost = claimed.interrupted("gone", at=NOON, rules=RULES)
    with pytest.raises(Conflict, match="pauses until"):
        lost.claim("two", at=NOON, rules=RULES)
    assert lost.claim("two", at=NOON + SECOND, rules=RULES).attempt == 2
    with pytest.raises(Conflict, match="is to be stopped"):
        a_job().ask_stop("no", at=NOON).claim("one", at=NOON, rules=RULES)


def test_an_attempt_that_lost_its_lease_is_told_so() -> None:
    job = running().interrupted("gone", at=NOON, rules=RULES)
    again = job.claim("two", at=NOON + SECOND, rules=RULES)
    for one in (job, again):
        with pytest.raises(Conflict, match="attempt 1 has lost"):
            one.heartbeat(1, at=NOON, rules=RULES)
        with pytest.raises(Conflict, match="attempt 1 has lost"):
            one.begin(1, at=NOON)


def test_a_sign_of_life_keeps_the_lease_and_never_shortens_it() -> None:
    job = running().heartbeat(1, at=NOON + 5 * SECOND, rules=RULES, rows_done=3)
    assert job.lease is not None and job.lease.until == NOON + 5 * SECOND + RULES.lease
    late = job.heartbeat(1, at=NOON, rules=RULES, rows_done=1)
    assert late.lease == job.lease and late.rows_done == 3
    with pytest.raises(Invalid, match="more rows are done"):
        job.heartbeat(1, at=NOON, rules=RULES, rows_done=11)


def test_a_worker_that_slept_begins_no_row() -> None:
    lease = running().lease
    assert lease is not None
    last = lease.until - RULES.margin
    assert lease.may_begin_row(last - SECOND, RULES) and not lease.may_begin_row(last, RULES)
    assert lease.is_live(last)


def test_a_stopped_job_takes_no_sign_of_life() -> None:
    with pytest.raises(Conflict, match="is to be stopped"):
        running().ask_stop("ann", at=NOON).heartbeat(1, at=NOON, rules=RULES)


def test_an_attempt_that_finished_rows_is_not_counted_against_the_job() -> None:
    job = running().heartbeat(1, at=NOON, rules=RULES, rows_done=1)
    assert job.interrupted("gone", at=NOON, rules=RULES).fruitless == 0
    assert running().interrupted("gone", at=NOON, rules=RULES).fruitless == 1


def test_pauses_double_up_to_a_limit() -> None:
    assert [RULES.pause(n).total_seconds() for n in (0, 1, 2, 3, 7, 1000)] == [1, 1, 2, 4, 60, 60]


def test_time_counts_while_it_runs_and_not_while_nothing_does() -> None:
    job = running(timeout=timedelta(seconds=30)).interrupted("gone", at=NOON + 600 * SECOND, rules=RULES)
    assert job.spent == RULES.lease and job.ends_by is None
    later = NOON + 700 * SECOND
    again = job.claim("two", at=later, rules=RULES).begin(2, at=later)
    assert again.ends_by == later + timedelta(seconds=30) - RULES.lease
    assert again.fail(Cause.TIMED_OUT, "late", at=later).retry(at=later).spent == timedelta(0)


def test_a_retry_keeps_rows_and_counts_attempts_on() -> None:
    job = running().heartbeat(1, at=NOON, rules=RULES, rows_done=4).fail(Cause.WORKER_FAILED, "x", at=NOON)
    again = job.retry(at=NOON).claim("two", at=NOON, rules=RULES)
    assert (again.status, again.attempt, again.attempts_before, again.rows_done) == (
        JobStatus.PENDING,
        2,
        1,
        4,
    )


@pytest.mark.parametrize(
    ("report", "action", "cause"),
    [
        (Report(Sighting.FINISHED, has_result=True), Action.SUCCEED, None),
        (Report(Sighting.FINISHED), Action.FAIL, Cause.NO_RESULT),
        (Report(Sighting.REFUSED, "there is no ground truth"), Action.FAIL, Cause.WORKER_FAILED),
        (Report(Sighting.CRASHED, "killed by signal 9"), Action.INTERRUPT, None),
        (ALIVE, Action.WAIT, None),
        (UNKNOWN, Action.WAIT, None),
        (GONE, Action.WAIT, None),
    ],
)
def test_under_a_live_lease(report: Report, action: Action, cause: Cause | None) -> None:
    decision = decide(running(), report, NOON, RULES)
    assert (decision.action, decision.cause) == (action, cause)
    if action is not Action.WAIT:
        assert report.why in decision.why


@pytest.mark.parametrize(
    ("report", "action"),
    [
        (ALIVE, Action.ADOPT),
        (Report(Sighting.QUEUED), Action.ADOPT),
        (UNKNOWN, Action.INTERRUPT),
        (GONE, Action.WAIT),
    ],
)
def test_after_a_lease_ran_out(report: Report, action: Action) -> None:
    assert decide(running(), report, NOON + RULES.lease, RULES).action is action


def test_a_job_that_nobody_has_is_started_after_its_pause() -> None:
    assert decide(a_job(), UNKNOWN, NOON, RULES).action is Action.START
    lost = running().interrupted("gone", at=NOON, rules=RULES)
    wait = decide(lost, UNKNOWN, NOON, RULES)
    assert (wait.action, wait.again_at) == (Action.WAIT, lost.not_before)
    assert decide(lost, UNKNOWN, NOON + SECOND, RULES).why == "the rest of the rows"


def test_a_runner_out_of_reach_fails_the_job_within_ten_seconds() -> None:
    world = World(runner_up=False)
    world.goes_on(100)
    assert (world.job.status, world.job.events[-1].cause) == (JobStatus.FAILED, Cause.RUNNER_UNREACHABLE)
    assert world.job.why == "the runner is out of reach: connection refused"
    assert world.job.updated_at <= NOON + 10 * SECOND
    running_one = World()
    running_one.goes_on(3)
    running_one.runner_up = False
    running_one.kill_runner(leaves_workers=False)
    died = running_one.now
    running_one.goes_on(100)
    assert running_one.job.events[-1].cause is Cause.RUNNER_UNREACHABLE
    assert running_one.job.updated_at <= died + 10 * SECOND


@pytest.mark.parametrize("deaf", [False, True])
def test_a_worker_that_hangs_is_killed_when_its_time_is_over(deaf: bool) -> None:
    world = World(deaf=deaf)
    world.goes_on(2)
    for worker in world.workers.values():
        worker.asleep = True
    world.goes_on(500)
    assert (world.job.status, world.job.events[-1].cause) == (JobStatus.FAILED, Cause.TIMED_OUT)
    assert world.job.updated_at <= NOON + TIMEOUT + RULES.grace + 5 * SECOND
    assert bool(world.workers) == ("did not confirm" in world.job.why) == deaf


def test_what_finished_while_nobody_looked_has_finished() -> None:
    later = NOON + timedelta(days=1)
    done = Report(Sighting.FINISHED, has_result=True)
    assert decide(running(), done, later, RULES).action is Action.SUCCEED
    assert decide(running().ask_stop("ann", at=NOON), done, later, RULES).action is Action.SUCCEED
    assert decide(running(), Report(Sighting.CRASHED), later, RULES).cause is Cause.TIMED_OUT


def test_a_job_whose_time_is_used_up_gets_no_other_attempt() -> None:
    job = running(timeout=timedelta(seconds=5)).interrupted("gone", at=NOON + 9 * SECOND, rules=RULES)
    assert decide(job, UNKNOWN, NOON + 60 * SECOND, RULES).cause is Cause.TIMED_OUT


def test_a_stop_is_carried_out_before_it_is_told() -> None:
    world = World()
    world.goes_on(4)
    world.job = world.job.ask_stop("ann wants it", at=world.now)
    world.look()
    assert (world.job.status, world.workers) == (JobStatus.RUNNING, {})
    world.look()
    assert (world.job.status, world.job.why) == (JobStatus.STOPPED, "ann wants it")


@pytest.mark.parametrize("stopped", [False, True])
def test_a_worker_is_killed_however_late_a_server_looks(stopped: bool) -> None:
    world = World()
    world.goes_on(2)
    if stopped:
        world.job = world.job.ask_stop("ann wants it", at=world.now)
    world.now += timedelta(days=1)  # all servers were down
    assert world.workers
    world.look()
    assert not world.workers and not world.job.status.has_ended
    world.look()
    assert world.job.status is (JobStatus.STOPPED if stopped else JobStatus.FAILED)


def test_an_attempt_that_was_given_up_is_killed_before_another_begins() -> None:
    world = World()
    world.goes_on(2)
    next(iter(world.workers.values())).asleep = True
    world.runner_up = False
    world.goes_on(60)
    assert (world.job.events[-1].cause, list(world.workers)) == (Cause.RUNNER_UNREACHABLE, [1])
    world.runner_up = True
    world.job = world.job.retry(at=world.now)
    world.look()
    assert (world.job.attempt, list(world.workers)) == (1, [])
    world.goes_on(100)
    assert (world.job.status, world.job.attempt) == (JobStatus.SUCCEEDED, 2)


def test_an_attempt_of_a_job_that_has_ended_is_killed_when_its_runner_comes_back() -> None:
    ended = running().fail(Cause.RUNNER_UNREACHABLE, "gone", at=NOON)
    assert decide(ended, ALIVE, NOON, RULES).action is Action.KILL
    told = ended.kill_asked(at=NOON)
    assert decide(told, ALIVE, NOON + RULES.grace, RULES).action is Action.NOTHING
    assert told.retry(at=NOON).kill_asked_at is None


def test_a_job_without_a_slot_does_not_wait_for_ever() -> None:
    world = World()
    for _ in range(300):
        world.look()
        world.now += SECOND
    assert (world.job.status, world.job.events[-1].cause) == (JobStatus.FAILED, Cause.NO_SLOT)


def test_attempts_that_get_nowhere_end_it_and_their_reason_is_told() -> None:
    world = World()
    for _ in range(100):
        world.look()
        world.start_worker()
        for attempt in list(world.workers):
            world.end_worker(attempt, Sighting.CRASHED)
        world.now += SECOND
    assert (world.job.status, world.job.attempt) == (JobStatus.FAILED, RULES.fruitless)
    assert world.job.why == "gave up: 3 attempts in a row finished no row; the last: it is crashed"


def test_fifty_kills_of_a_server_cost_nothing_where_the_runner_lives() -> None:
    world = World()
    for number in range(50):
        world.goes_on(1)
        world.look("deciding" if number % 2 else "saving")
    world.goes_on(100)
    assert world.job.status is JobStatus.SUCCEEDED
    assert len(world.payments) == len(world.answered)


def test_a_sleeper_that_wakes_up_pays_for_no_more_than_it_had_in_flight() -> None:
    world = World()
    world.goes_on(2)
    (sleeper,) = world.workers.values()
    sleeper.asleep = True
    world.kill_runner(leaves_workers=True)
    world.goes_on(20)
    sleeper.asleep = False
    for _ in range(50):
        world.work(sleeper)
    world.goes_on(200)
    assert world.job.status is JobStatus.SUCCEEDED and world.job.attempt == 2
    assert sum(world.paid_again().values()) <= 1


def test_rules_that_could_not_work_are_refused() -> None:
    with pytest.raises(Invalid, match="longer than a heartbeat"):
        Rules(lease=timedelta(seconds=3))
    with pytest.raises(Invalid, match="above 0"):
        Rules(grace=timedelta(0))


def test_a_job_whose_events_do_not_explain_its_state_cannot_be() -> None:
    with pytest.raises(Invalid, match="last event"):
        a_job().evolve(status=JobStatus.FAILED)
    with pytest.raises(Invalid, match="not of the present attempt"):
        running().evolve(attempt=2)


def test_a_long_log_keeps_its_beginning_and_its_end() -> None:
    events = tuple(
        Event(at=NOON, status="running", cause=Cause.BEGAN, why=str(n)) for n in range(MOST_EVENTS)
    )
    last = Event(at=NOON, status="failed", cause=Cause.TIMED_OUT, why="end")
    log = logged(events, last)
    assert (len(log), log[0], log[1].why, log[-1]) == (MOST_EVENTS, events[0], "2", last)


def test_a_reason_can_be_kept_whatever_a_server_said() -> None:
    assert reason("a\x00b\ud800 ") == "a�b?"
    assert reason("") == "no reason was given"
    assert len(a_job().fail(Cause.WORKER_FAILED, "x" * 9999, at=NOON).why) == 4000


def an_outcome(**fields: Any) -> RowOutcome:
    return RowOutcome(**{"number": 1, "input_hash": "a" * 64, "at": NOON, **fields})


def test_the_first_answer_to_a_row_stays_and_errors_give_way() -> None:
    error, first, second = an_outcome(error="429"), an_outcome(prediction="a"), an_outcome(prediction="b")
    assert kept(None, error) is error
    assert kept(error, first) is first
    assert kept(first, second) is kept(first, error) is first
    assert list(rest(3, {1: first, 2: an_outcome(number=2, error="x")})) == [2, 3]
    assert list(rest(3, {2})) == [1, 3]


def test_a_row_has_an_answer_or_a_reason() -> None:
    for fields in ({}, {"prediction": "a", "error": "b"}):
        with pytest.raises(Invalid, match="either an answer or a reason"):
            an_outcome(**fields)
    assert an_outcome(prediction="", tries=0).was_remembered
