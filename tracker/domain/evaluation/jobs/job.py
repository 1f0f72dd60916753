"""A job: inference or evaluation of a dataset, and every attempt at it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from tracker.domain.errors import Conflict, InvalidTransition
from tracker.domain.evaluation.events import Cause, Event, Log, logged, reason
from tracker.domain.evaluation.jobs.lease import Lease, Rules
from tracker.domain.evaluation.jobs.status import JobStatus, check_move
from tracker.domain.frozen import Frozen
from tracker.domain.ids import DatasetId, JobId, ProjectId, UserId, WorkflowId
from tracker.domain.json_tree import EMPTY, JsonObject
from tracker.domain.text import Description, storable

__all__ = ["Job", "JobKind", "JobName"]

JobName = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(storable)]
_Count = Annotated[int, Field(ge=0, lt=2**31)]
_ORDER = (JobStatus.CREATED, JobStatus.PENDING, JobStatus.RUNNING, JobStatus.SUCCEEDED)


class JobKind(StrEnum):
    """What a job does."""

    INFERENCE = "inference"
    ANNOTATE = "annotate"
    EVALUATOR = "evaluator"


class Job(Frozen):
    """A job and how it goes. Every change of state adds to its events, which say why.

    Attributes:
        workflow_id: of which it is a step; ``None`` of one that was posted alone.
        max_samples: rows to take, the first ones; 0 or less means all.
        config: what its worker needs, without any secret.
        timeout: how long it may run, all attempts together; waiting does not count.
        attempt: how many there were; it only grows.
        attempts_before: how many there were before the last retry.
        fruitless: how many attempts in a row finished no row.
        lease: who works on it.
        claimed_at: when the present attempt was.
        running_since: when the present attempt began to run.
        spent: how long earlier attempts ran.
        not_before: when the next attempt may begin.
        stop_asked_at: when it was first asked to stop.
        kill_asked_at: when the runner was first told to end the present attempt.
        unreachable_since: since when its runner has not answered.
        rows_total: it has to do; ``None`` until that is known.
        rows_done: are done and kept, whatever happens to it.
        rows_at_claim: were done when the present attempt was claimed.
        events: what happened, oldest first.
        version: counts the saves; a save of an older one is refused.
    """

    id: JobId
    project_id: ProjectId
    workflow_id: WorkflowId | None = None
    kind: JobKind
    name: JobName
    description: Description = ""
    dataset_id: DatasetId
    max_samples: Annotated[int, Field(ge=-(2**31), lt=2**31)] = -1
    batch_size: Annotated[int, Field(gt=0, lt=2**31)] = 1
    config: JsonObject = Field(default_factory=lambda: EMPTY)
    timeout: Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=365))] = timedelta(hours=1)
    status: JobStatus = JobStatus.CREATED
    attempt: _Count = 0
    attempts_before: _Count = 0
    fruitless: _Count = 0
    lease: Lease | None = None
    claimed_at: AwareDatetime | None = None
    running_since: AwareDatetime | None = None
    spent: timedelta = timedelta(0)
    not_before: AwareDatetime | None = None
    stop_asked_at: AwareDatetime | None = None
    kill_asked_at: AwareDatetime | None = None
    unreachable_since: AwareDatetime | None = None
    rows_total: _Count | None = None
    rows_done: _Count = 0
    rows_at_claim: _Count = 0
    events: Log
    created_at: AwareDatetime
    created_by: UserId | None = None
    version: int = 0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.events[-1].status != self.status:
            raise PydanticCustomError("job_events", "the last event does not say why it is in its state")
        if self.lease is not None and (self.status.has_ended or self.lease.attempt != self.attempt):
            raise PydanticCustomError("job_lease", "the lease is not of the present attempt")
        if self.rows_total is not None and self.rows_done > self.rows_total:
            raise PydanticCustomError("job_rows", "more rows are done than there are")
        return self

    @classmethod
    def created(cls, *, at: datetime, why: str = "created", **fields: Any) -> Self:
        """A new job.

        Raises:
            Invalid: a field breaks a rule.
        """
        event = Event(at=at, status=JobStatus.CREATED, cause=Cause.CREATED, why=reason(why))
        return cls(events=(event,), created_at=at, **fields)

    @property
    def why(self) -> str:
        """Why it is in its state."""
        return self.events[-1].why

    @property
    def updated_at(self) -> datetime:
        """When something last happened."""
        return self.events[-1].at

    @property
    def ends_by(self) -> datetime | None:
        """When its time is over; ``None`` while it does not run."""
        return None if self.running_since is None else self.running_since + self.timeout - self.spent

    def claim(self, by: str, *, at: datetime, rules: Rules) -> Self:
        """`by` begins an attempt, and then tells the runner.

        Raises:
            InvalidTransition: it has ended.
            Conflict: somebody has it, it is to be stopped, or its pause is not over.
        """
        self._check_open()
        if self.stop_asked_at is not None:
            raise Conflict(f"job {self.id} is to be stopped")
        if self.lease is not None:
            raise Conflict(f"job {self.id} is leased by {self.lease.holder} until {self.lease.until}")
        if self.not_before is not None and at < self.not_before:
            raise Conflict(f"job {self.id} pauses until {self.not_before}")
        attempt = self.attempt + 1
        claimed = self.evolve(
            attempt=attempt,
            lease=Lease(holder=by, until=at + rules.lease, attempt=attempt),
            claimed_at=at,
            running_since=None,
            kill_asked_at=None,
            not_before=None,
            rows_at_claim=self.rows_done,
        )
        return claimed.noted(Cause.CLAIMED, f"attempt {attempt} was taken by {by}", at=at)

    def accept(self, attempt: int, *, at: datetime) -> Self:
        """The runner has the attempt; it waits for a slot.

        Raises:
            Conflict: the lease is lost.
        """
        self._check_attempt(attempt)
        job = self.evolve(unreachable_since=None)
        if job.status is not JobStatus.CREATED:
            return job
        return job._moved(JobStatus.PENDING, Cause.ACCEPTED, "the runner has it", at=at)

    def not_taken(self, attempt: int, why: str, *, at: datetime) -> Self:
        """The runner said that it does not take the attempt; it may have it all the same.

        Raises:
            Conflict: the lease is lost.
        """
        self._check_attempt(attempt)
        return self.noted(
            Cause.RUNNER_UNREACHABLE, f"the runner did not take attempt {attempt}: {why}", at=at
        )

    def begin(self, attempt: int, *, at: datetime, rows_total: int | None = None) -> Self:
        """The attempt runs.

        Raises:
            Conflict: the lease is lost.
        """
        self._check_attempt(attempt)
        total = self.rows_total if rows_total is None else rows_total
        job = self.evolve(running_since=self.running_since or at, rows_total=total, unreachable_since=None)
        if job.status is JobStatus.RUNNING:
            why = f"attempt {attempt} goes on after {self.rows_done} rows"
            return job.noted(Cause.BEGAN, why, at=at)
        return job._moved(JobStatus.RUNNING, Cause.BEGAN, f"attempt {attempt} began", at=at)

    def heartbeat(self, attempt: int, *, at: datetime, rules: Rules, rows_done: int | None = None) -> Self:
        """A sign of life, and how many rows are done.

        Raises:
            Conflict: the lease is lost, or the job was asked to stop: the worker has to end.
        """
        lease = self._check_attempt(attempt)
        self.check_attempt(attempt)
        done = max(self.rows_done, rows_done or 0)
        return self.evolve(lease=lease.renewed(at, rules), rows_done=done)

    def counted(self, rows_done: int) -> Self:
        """The job after rows came of an attempt that had lost it: they are done all the same."""
        return self if rows_done <= self.rows_done else self.evolve(rows_done=rows_done)

    def check_attempt(self, attempt: int) -> None:
        """Lets pass the attempt that works on it and was not told to stop.

        Raises:
            Conflict: it is another, or the job is to be stopped.
        """
        self._check_attempt(attempt)
        if self.stop_asked_at is not None:
            raise Conflict(f"job {self.id} is to be stopped")

    def adopt(self, by: str, *, at: datetime, rules: Rules) -> Self:
        """`by` watches the same attempt further, which is alive although its lease has run out.

        Raises:
            InvalidTransition: it has ended.
            Conflict: there is no attempt, or its lease is live.
        """
        self._check_open()
        if self.lease is None or self.lease.is_live(at):
            raise Conflict(f"job {self.id} has no lease that has run out")
        lease = Lease(holder=by, until=at + rules.lease, attempt=self.attempt)
        why = f"attempt {self.attempt} is alive and now watched by {by}"
        return self.evolve(lease=lease).noted(Cause.ADOPTED, why, at=at)

    def interrupted(self, why: str, *, at: datetime, rules: Rules) -> Self:
        """The attempt is over without an end of the job; another may follow after a pause.

        Raises:
            InvalidTransition: it has ended.
            Conflict: there is no attempt.
        """
        self._check_open()
        if self.lease is None:
            raise Conflict(f"job {self.id} has no attempt that could be interrupted")
        fruitless = 0 if self.rows_done > self.rows_at_claim else self.fruitless + 1
        ran = timedelta(0)
        if self.running_since is not None:
            ran = max(ran, min(at, self.lease.until) - self.running_since)
        job = self.evolve(
            lease=None,
            running_since=None,
            kill_asked_at=None,
            spent=self.spent + ran,
            fruitless=fruitless,
            not_before=at + rules.pause(fruitless),
        )
        return job.noted(Cause.INTERRUPTED, why, at=at)

    def observed(self, answers: bool, *, at: datetime) -> Self:
        """The job after its runner did or did not answer."""
        since = None if answers else self.unreachable_since or at
        return self if since == self.unreachable_since else self.evolve(unreachable_since=since)

    def kill_asked(self, *, at: datetime) -> Self:
        """The job after its runner was told to end the attempt; the first time counts."""
        return self if self.kill_asked_at is not None else self.evolve(kill_asked_at=at)

    def ask_stop(self, why: str, *, at: datetime) -> Self:
        """Somebody wants it stopped; the first time counts.

        Raises:
            InvalidTransition: it has ended.
        """
        self._check_open()
        if self.stop_asked_at is not None:
            return self
        return self.evolve(stop_asked_at=at).noted(Cause.STOP_ASKED, why, at=at)

    def succeed(self, *, at: datetime, why: str = "all of it is done") -> Self:
        """It ended well.

        Raises:
            InvalidTransition: it has ended.
        """
        return self._ended(JobStatus.SUCCEEDED, Cause.FINISHED, why, at=at)

    def fail(self, cause: Cause, why: str, *, at: datetime) -> Self:
        """It ended badly.

        Raises:
            InvalidTransition: it has ended.
        """
        return self._ended(JobStatus.FAILED, cause, why, at=at)

    def stop(self, why: str, *, at: datetime) -> Self:
        """It was ended before its end.

        Raises:
            InvalidTransition: it has ended.
        """
        return self._ended(JobStatus.STOPPED, Cause.STOPPED, why, at=at)

    def retry(self, *, at: datetime, why: str = "asked for again") -> Self:
        """It is to do the rest: rows that are done stay.

        Raises:
            InvalidTransition: it has not ended badly.
        """
        if self.status not in (JobStatus.FAILED, JobStatus.STOPPED):
            raise InvalidTransition(
                f"status: a job that is {self.status} is not retried, only one that failed or was stopped"
            )
        job = self.evolve(
            attempts_before=self.attempt,
            fruitless=0,
            not_before=None,
            stop_asked_at=None,
            kill_asked_at=None,
            unreachable_since=None,
            spent=timedelta(0),
        )
        return job._moved(JobStatus.PENDING, Cause.RETRIED, why, at=at)

    def noted(self, cause: Cause, why: str, *, at: datetime) -> Self:
        """The job in the same state with one more event."""
        return self.evolve(events=logged(self.events, self._event(self.status, cause, why, at)))

    def _ended(self, status: JobStatus, cause: Cause, why: str, *, at: datetime) -> Self:
        self._check_open()
        job = self.evolve(lease=None, running_since=None, kill_asked_at=None, not_before=None)
        return job._moved(status, cause, why, at=at)

    def _moved(self, status: JobStatus, cause: Cause, why: str, *, at: datetime) -> Self:
        """In `status`, with those on the way there that nobody reported."""
        job = self
        between: tuple[JobStatus, ...] = ()
        if self.status in _ORDER and status in _ORDER:
            between = _ORDER[_ORDER.index(self.status) + 1 : _ORDER.index(status)]
        for each in (*between, status):
            check_move(job.status, each)
            job = job.evolve(status=each, events=logged(job.events, job._event(each, cause, why, at)))
        return job

    def _event(self, status: JobStatus, cause: Cause, why: str, at: datetime) -> Event:
        return Event(at=at, status=status, cause=cause, why=reason(why), attempt=self.attempt)

    def _check_attempt(self, attempt: int) -> Lease:
        if self.lease is None:
            raise Conflict(f"lease: attempt {attempt} has lost job {self.id}, which is {self.status}")
        self.lease.check(attempt)
        return self.lease

    def _check_open(self) -> None:
        if self.status.has_ended:
            raise InvalidTransition(f"job {self.id} has ended: it is {self.status} ({self.why})")
