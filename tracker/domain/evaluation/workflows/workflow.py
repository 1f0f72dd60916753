"""A workflow: one model on one dataset, in steps, each of which is a job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator
from pydantic_core import PydanticCustomError

from tracker.domain.errors import Conflict, InvalidTransition
from tracker.domain.evaluation.events import Cause, Event, Log, logged, reason
from tracker.domain.evaluation.jobs.job import JobKind, JobName
from tracker.domain.frozen import Frozen
from tracker.domain.ids import EvaluationId, ExperimentId, JobId, ProjectId, UserId, WorkflowId
from tracker.domain.json_tree import EMPTY, JsonObject
from tracker.domain.text import Description, storable

__all__ = ["Step", "Workflow", "WorkflowStatus"]


class WorkflowStatus(StrEnum):
    """Where a workflow is: created, running, then one of the others. There is no way back."""

    CREATED = "created"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes."""
        return self in (WorkflowStatus.SUCCEEDED, WorkflowStatus.FAILED, WorkflowStatus.STOPPED)


class Step(Frozen):
    """One job of a workflow.

    Attributes:
        kind: of the job.
        job_id: given before the job is made, so that making it twice is noticed.
        begun_at: when its job was made, in the same transaction.
    """

    kind: JobKind
    job_id: JobId
    begun_at: AwareDatetime | None = None


class Workflow(Frozen):
    """A workflow and how it goes.

    Attributes:
        evaluation_id: the evaluation it belongs to, whose dataset and task it takes.
        experiment_id: the tracked experiment as which it is recorded.
        model: a name, as the caller gave it.
        config: what its jobs are made from, without any secret.
        steps: in their order; a step begins when the one before has succeeded.
        stop_asked_at: when it was first asked to stop.
        events: what happened, oldest first.
        version: counts the saves; a save of an older one is refused.
    """

    id: WorkflowId
    project_id: ProjectId
    evaluation_id: EvaluationId
    experiment_id: ExperimentId | None = None
    name: JobName
    description: Description = ""
    model: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(storable)]
    config: JsonObject = Field(default_factory=lambda: EMPTY)
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)]
    status: WorkflowStatus = WorkflowStatus.CREATED
    stop_asked_at: AwareDatetime | None = None
    events: Log
    created_at: AwareDatetime
    created_by: UserId | None = None
    version: int = 0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.events[-1].status != self.status:
            raise PydanticCustomError("workflow_events", "the last event does not say why it is in its state")
        if len({step.job_id for step in self.steps}) != len(self.steps):
            raise PydanticCustomError("workflow_steps", "one job cannot be two steps")
        begun = [step.begun_at is not None for step in self.steps]
        if begun != sorted(begun, reverse=True):
            raise PydanticCustomError("workflow_steps", "a step has begun before the one before it")
        return self

    @classmethod
    def created(
        cls, *, at: datetime, jobs: Sequence[tuple[JobKind, JobId]], why: str = "created", **fields: Any
    ) -> Self:
        """A new workflow with these `jobs` as its steps.

        Raises:
            Invalid: a field breaks a rule.
        """
        event = Event(at=at, status=WorkflowStatus.CREATED, cause=Cause.CREATED, why=reason(why))
        steps = tuple(Step(kind=kind, job_id=job_id) for kind, job_id in jobs)
        return cls(events=(event,), created_at=at, steps=steps, **fields)

    @property
    def why(self) -> str:
        """Why it is in its state."""
        return self.events[-1].why

    @property
    def updated_at(self) -> datetime:
        """When something last happened."""
        return self.events[-1].at

    def begin_step(self, position: int, *, at: datetime) -> Self:
        """The step at `position` begins; its job is saved in the same transaction.

        Raises:
            InvalidTransition: the workflow has ended.
            Conflict: the step has begun, the one before has not, or the workflow is to be stopped.
        """
        self._check_open()
        if self.stop_asked_at is not None:
            raise Conflict(f"workflow {self.id} is to be stopped")
        begun = sum(step.begun_at is not None for step in self.steps)
        if position != begun or position >= len(self.steps):
            raise Conflict(f"workflow {self.id}: step {position + 1} of {len(self.steps)} cannot begin now")
        steps = list(self.steps)
        steps[position] = steps[position].evolve(begun_at=at)
        why = f"step {position + 1} of {len(steps)}, {steps[position].kind}, began"
        return self._moved(WorkflowStatus.RUNNING, Cause.STEP_BEGAN, why, at=at, steps=tuple(steps))

    def ask_stop(self, why: str, *, at: datetime) -> Self:
        """Somebody wants it stopped; the first time counts.

        Raises:
            InvalidTransition: it has ended.
        """
        self._check_open()
        if self.stop_asked_at is not None:
            return self
        return self._moved(self.status, Cause.STOP_ASKED, why, at=at, stop_asked_at=at)

    def succeed(self, *, at: datetime, why: str = "all steps succeeded and the result is compiled") -> Self:
        """It ended well.

        Raises:
            InvalidTransition: it has ended, or not begun.
        """
        self._check_open()
        if self.status is WorkflowStatus.CREATED:
            raise InvalidTransition("status: a workflow that is created cannot become succeeded")
        return self._moved(WorkflowStatus.SUCCEEDED, Cause.FINISHED, why, at=at)

    def fail(self, cause: Cause, why: str, *, at: datetime) -> Self:
        """It ended badly.

        Raises:
            InvalidTransition: it has ended.
        """
        self._check_open()
        return self._moved(WorkflowStatus.FAILED, cause, why, at=at)

    def stop(self, why: str, *, at: datetime) -> Self:
        """It was ended before its end.

        Raises:
            InvalidTransition: it has ended.
        """
        self._check_open()
        return self._moved(WorkflowStatus.STOPPED, Cause.STOPPED, why, at=at)

    def _moved(self, status: WorkflowStatus, cause: Cause, why: str, *, at: datetime, **changes: Any) -> Self:
        event = Event(at=at, status=status, cause=cause, why=reason(why))
        return self.evolve(status=status, events=logged(self.events, event), **changes)

    def _check_open(self) -> None:
        if self.status.has_ended:
            raise InvalidTransition(f"workflow {self.id} has ended: it is {self.status} ({self.why})")
