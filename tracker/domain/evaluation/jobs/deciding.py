"""What is to be done with a job now: one pure function that any process may ask at any time.

Whoever looks after jobs asks the runner what it knows of the present attempt, asks :func:`decide`, does what
it says, saves, and asks again at ``again_at``. Nothing else has to be remembered: a process that dies between
any two of these leaves nothing undone that the next one would not see. What the runner is told is idempotent
by job and attempt.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from tracker.domain.evaluation.events import Cause
from tracker.domain.evaluation.jobs.job import Job
from tracker.domain.evaluation.jobs.lease import Lease, Rules

__all__ = ["Action", "Decision", "Report", "Sighting", "decide"]


class Sighting(StrEnum):
    """What the runner knows of the present attempt."""

    UNREACHABLE = "unreachable"
    """The runner does not answer."""
    UNKNOWN = "unknown"
    """It answers, and does not have the attempt."""
    QUEUED = "queued"
    """It has it and waits for a slot."""
    ALIVE = "alive"
    """It runs."""
    FINISHED = "finished"
    """It ended by itself, well, by what it says."""
    REFUSED = "refused"
    """It ended by itself with a reason that another attempt would meet again."""
    CRASHED = "crashed"
    """It was killed, or broke down."""


_THERE = frozenset({Sighting.QUEUED, Sighting.ALIVE})
_PERHAPS_THERE = _THERE | {Sighting.UNREACHABLE}


class Report(NamedTuple):
    """The runner's answer.

    Attributes:
        sighting: what it knows of the present attempt.
        why: in its words.
        has_result: whether the result of the job is there.
    """

    sighting: Sighting
    why: str = ""
    has_result: bool = False


class Action(StrEnum):
    """What to do next."""

    NOTHING = "nothing"
    """It has ended, and runs nowhere that is known."""
    WAIT = "wait"
    START = "start"
    """Claim it and give the runner its first attempt, or the next: finished rows are not done again."""
    ADOPT = "adopt"
    """Take over the lease of an attempt that is alive."""
    INTERRUPT = "interrupt"
    """Note that the attempt is lost."""
    KILL = "kill"
    """Have the runner end the attempt with all its processes, and save that it was told after it was."""
    SUCCEED = "succeed"
    FAIL = "fail"
    STOP = "stop"


class Decision(NamedTuple):
    """What to do, and why.

    Attributes:
        action: what.
        why: in words, for the event log.
        cause: of a failure.
        again_at: ask again no later than then; ``None``: at once when something was done, never when
            there is nothing to do.
    """

    action: Action
    why: str
    cause: Cause | None = None
    again_at: datetime | None = None

    def applied(self, job: Job, by: str, *, at: datetime, rules: Rules) -> Job:
        """The job after what was decided; ``WAIT`` and ``NOTHING`` leave it.

        Raises:
            Conflict: the job has changed since.
        """
        match self.action:
            case Action.START:
                return job.claim(by, at=at, rules=rules)
            case Action.ADOPT:
                return job.adopt(by, at=at, rules=rules)
            case Action.INTERRUPT:
                return job.interrupted(self.why, at=at, rules=rules)
            case Action.KILL:
                return job.kill_asked(at=at)
            case Action.SUCCEED:
                return job.succeed(at=at, why=self.why)
            case Action.FAIL:
                return job.fail(self.cause or Cause.WORKER_FAILED, self.why, at=at)
            case Action.STOP:
                return job.stop(self.why, at=at)
        return job


def decide(job: Job, report: Report, now: datetime, rules: Rules) -> Decision:
    """What to do next with `job`.

    Args:
        job: after :meth:`Job.observed` has noted whether its runner answers.
        report: what the runner knows of its present attempt; ``UNKNOWN`` of a job without one.
        now: the time.
        rules: how long what is waited for.
    """
    if job.lease is None and report.sighting in _THERE and (killed := _stray(job, now, rules)) is not None:
        return killed
    if job.status.has_ended:
        return Decision(Action.NOTHING, job.why)
    # What ended by itself did so before anybody could end it, however late one looks.
    if job.lease is not None and (ended := _of_itself(report)) is not None:
        return ended
    if (ending := _ending(job, now, rules)) is not None:
        return _end(job, ending, report, now, rules)
    if job.lease is None:
        return _without_lease(job, report, now, rules)
    if report.sighting is Sighting.CRASHED:
        return Decision(Action.INTERRUPT, report.why or "its process was killed")
    if job.lease.is_live(now):
        return _wait(f"{job.lease.holder} works on it", now, rules, job.lease.until, job.ends_by)
    return _after_lease(job, job.lease, report, now, rules)


def _stray(job: Job, now: datetime, rules: Rules) -> Decision | None:
    """Kills an attempt that was given up while its runner did not answer; another begins only after it."""
    if now < (latest := (job.kill_asked_at or now) + rules.grace):
        why = f"attempt {job.attempt} still runs, although it was given up"
        return Decision(Action.KILL, why, again_at=_soonest(now, rules, latest))
    return None


def _ending(job: Job, now: datetime, rules: Rules) -> Decision | None:
    """How a job must end that has not."""
    if job.stop_asked_at is not None:
        return Decision(Action.STOP, _asked(job))
    if job.spent >= job.timeout or (job.ends_by is not None and job.ends_by <= now):
        why = f"it ran for longer than the {job.timeout.total_seconds():g} s allowed and was stopped"
        return Decision(Action.FAIL, why, Cause.TIMED_OUT)
    waits_since = job.claimed_at if job.running_since is None and job.lease is not None else None
    if waits_since is not None and waits_since + rules.queue <= now:
        return Decision(Action.FAIL, f"no slot of the runner was free within {rules.queue}", Cause.NO_SLOT)
    return None


def _asked(job: Job) -> str:
    asked = [event.why for event in job.events if event.cause is Cause.STOP_ASKED]
    return asked[-1] if asked else "it was asked to stop"


def _end(job: Job, ending: Decision, report: Report, now: datetime, rules: Rules) -> Decision:
    """Kills first, however late it is: a job that has ended runs nowhere."""
    if job.lease is None:
        return ending
    # Under a live lease an attempt may be on its way to the runner, or at another process's.
    gone = report.sighting not in _PERHAPS_THERE and not (
        report.sighting is Sighting.UNKNOWN and job.lease.is_live(now)
    )
    if gone:
        return ending
    if now < (latest := (job.kill_asked_at or now) + rules.grace):
        return Decision(Action.KILL, ending.why, again_at=_soonest(now, rules, latest))
    return ending._replace(why=f"{ending.why}; its runner did not confirm that it runs no more")


def _without_lease(job: Job, report: Report, now: datetime, rules: Rules) -> Decision:
    attempts = job.attempt - job.attempts_before
    if job.fruitless >= rules.fruitless:
        why = f"gave up: {job.fruitless} attempts in a row finished no row; the last: {_last_loss(job)}"
        return Decision(Action.FAIL, why, Cause.TOO_MANY_ATTEMPTS)
    if attempts >= rules.attempts:
        why = f"gave up after {attempts} attempts; the last: {_last_loss(job)}"
        return Decision(Action.FAIL, why, Cause.TOO_MANY_ATTEMPTS)
    if report.sighting is Sighting.UNREACHABLE:
        return _unreachable(job, report, now, rules)
    if job.not_before is not None and now < job.not_before:
        return _wait("a pause between attempts", now, rules, job.not_before)
    return Decision(Action.START, "the first attempt" if attempts == 0 else "the rest of the rows")


def _after_lease(job: Job, lease: Lease, report: Report, now: datetime, rules: Rules) -> Decision:
    if report.sighting in _THERE:
        return Decision(Action.ADOPT, f"{lease.holder} gave no sign of life, but the attempt is alive")
    if report.sighting is Sighting.UNREACHABLE:
        return _unreachable(job, report, now, rules)
    return Decision(Action.INTERRUPT, _not_taken(job) or _silence(lease))


def _not_taken(job: Job) -> str | None:
    """What the runner said when the present attempt was brought to it, if it did not take it."""
    said = [
        event.why
        for event in job.events
        if event.cause is Cause.RUNNER_UNREACHABLE and event.attempt == job.attempt
    ]
    return said[-1] if said else None


def _silence(lease: Lease) -> str:
    return f"{lease.holder} gave no sign of life until {lease.until}, and the attempt is gone"


def _of_itself(report: Report) -> Decision | None:
    match report.sighting:
        case Sighting.FINISHED if report.has_result:
            return Decision(Action.SUCCEED, report.why or "all of it is done")
        case Sighting.FINISHED:
            return Decision(Action.FAIL, "it ended without leaving a result", Cause.NO_RESULT)
        case Sighting.REFUSED:
            return Decision(Action.FAIL, report.why or "its worker did not say why", Cause.WORKER_FAILED)
    return None


def _unreachable(job: Job, report: Report, now: datetime, rules: Rules) -> Decision:
    fails_at = (job.unreachable_since or now) + rules.patience
    if fails_at <= now:
        told = f": {report.why}" if report.why else ""
        return Decision(Action.FAIL, f"the runner is out of reach{told}", Cause.RUNNER_UNREACHABLE)
    return _wait("the runner is out of reach", now, rules, fails_at)


def _last_loss(job: Job) -> str:
    lost = [event.why for event in job.events if event.cause is Cause.INTERRUPTED]
    return lost[-1] if lost else "unknown"


def _wait(why: str, now: datetime, rules: Rules, *until: datetime | None) -> Decision:
    return Decision(Action.WAIT, why, again_at=_soonest(now, rules, *until))


def _soonest(now: datetime, rules: Rules, *until: datetime | None) -> datetime:
    return max(now, min([now + rules.poll, *(each for each in until if each is not None)]))
