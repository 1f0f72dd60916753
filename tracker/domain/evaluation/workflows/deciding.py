"""What is to be done with a workflow now.

Like jobs (:mod:`tracker.domain.evaluation.jobs.deciding`), workflows are moved on by whoever asks: there is
no task in memory that a restart would lose. Its jobs are decided on by themselves; a workflow only begins
them, stops them, and draws conclusions from their ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from tracker.domain.evaluation.events import Cause
from tracker.domain.evaluation.jobs.job import Job
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.domain.evaluation.jobs.status import JobStatus
from tracker.domain.evaluation.workflows.workflow import Workflow
from tracker.domain.ids import JobId

__all__ = ["WorkflowAction", "WorkflowDecision", "decide_workflow"]


class WorkflowAction(StrEnum):
    """What to do next."""

    NOTHING = "nothing"
    WAIT = "wait"
    BEGIN_STEP = "begin_step"
    """Make the job of the step and note that it has begun, in one transaction."""
    STOP_JOBS = "stop_jobs"
    """Ask its jobs to stop."""
    COMPILE = "compile"
    """Put the results of its jobs together; then it has succeeded, or failed with what was missing."""
    FAIL = "fail"
    STOP = "stop"


class WorkflowDecision(NamedTuple):
    """What to do, and why.

    Attributes:
        action: what.
        why: in words, for the event log.
        cause: of a failure.
        step: which, from 0.
        jobs: which are to be stopped.
        again_at: ask again no later than then; ``None``: at once when something was done, never when
            there is nothing to do.
    """

    action: WorkflowAction
    why: str
    cause: Cause | None = None
    step: int | None = None
    jobs: tuple[JobId, ...] = ()
    again_at: datetime | None = None


def decide_workflow(
    workflow: Workflow, jobs: Mapping[JobId, Job], now: datetime, rules: Rules, *, obstacle: str | None = None
) -> WorkflowDecision:
    """What to do next with `workflow`.

    Args:
        workflow: which.
        jobs: those of its jobs that exist.
        now: the time.
        rules: how often to look.
        obstacle: why its next step cannot begin: the dataset is deleted, a key is missing.
    """
    if workflow.status.has_ended:
        return WorkflowDecision(WorkflowAction.NOTHING, workflow.why)
    mine = [jobs[step.job_id] for step in workflow.steps if step.job_id in jobs]
    if workflow.stop_asked_at is not None:
        return _stopping(workflow, mine, now, rules)
    for position, step in enumerate(workflow.steps):
        job = jobs.get(step.job_id)
        name = f"step {position + 1}, {step.kind},"
        if job is None:
            return _without_job(position, name, step.begun_at, obstacle)
        match job.status:
            case JobStatus.FAILED:
                return WorkflowDecision(WorkflowAction.FAIL, f"{name} failed: {job.why}", Cause.STEP_FAILED)
            case JobStatus.STOPPED:
                return WorkflowDecision(
                    WorkflowAction.STOP, f"{name} was stopped: {job.why}", Cause.STEP_STOPPED
                )
            case JobStatus.SUCCEEDED:
                continue
        why = f"{name} is {job.status}: {job.why}"
        return WorkflowDecision(WorkflowAction.WAIT, why, again_at=now + rules.poll)
    return WorkflowDecision(WorkflowAction.COMPILE, "all steps succeeded")


def _without_job(
    position: int, name: str, begun_at: datetime | None, obstacle: str | None
) -> WorkflowDecision:
    if begun_at is not None:
        return WorkflowDecision(WorkflowAction.FAIL, f"{name} lost its job: it was deleted", Cause.STEP_LOST)
    if obstacle is not None:
        return WorkflowDecision(WorkflowAction.FAIL, f"{name} cannot begin: {obstacle}", Cause.OBSTACLE)
    return WorkflowDecision(WorkflowAction.BEGIN_STEP, f"{name} can begin", step=position)


def _stopping(workflow: Workflow, mine: list[Job], now: datetime, rules: Rules) -> WorkflowDecision:
    asked = [event.why for event in workflow.events if event.cause is Cause.STOP_ASKED]
    why = asked[-1] if asked else "it was asked to stop"
    open_jobs = [job for job in mine if not job.status.has_ended]
    unasked = tuple(job.id for job in open_jobs if job.stop_asked_at is None)
    if unasked:
        return WorkflowDecision(WorkflowAction.STOP_JOBS, why, jobs=unasked)
    if open_jobs:
        return WorkflowDecision(WorkflowAction.WAIT, "its jobs are being stopped", again_at=now + rules.poll)
    return WorkflowDecision(WorkflowAction.STOP, why)
