from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOON, new_id
from tests.property.evaluation.job_world import RULES, SECOND
from tests.unit.evaluation.test_jobs import a_job
from tracker.domain.errors import Conflict, Invalid, InvalidTransition
from tracker.domain.evaluation.events import Cause
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.workflows.deciding import WorkflowAction, WorkflowDecision, decide_workflow
from tracker.domain.evaluation.workflows.workflow import Workflow, WorkflowStatus
from tracker.domain.ids import EvaluationId, JobId, ProjectId, WorkflowId

STEPS = ((JobKind.INFERENCE, JobId(new_id())), (JobKind.EVALUATOR, JobId(new_id())))


def a_workflow(**fields: Any) -> Workflow:
    defaults: dict[str, Any] = {
        "id": WorkflowId(new_id()),
        "project_id": ProjectId(new_id()),
        "evaluation_id": EvaluationId(new_id()),
        "name": "a workflow",
        "model": "small",
    }
    return Workflow.created(at=NOON, jobs=STEPS, **{**defaults, **fields})


def step_job(position: int) -> Job:
    kind, job_id = STEPS[position]
    return a_job(id=job_id, kind=kind)


def decided(workflow: Workflow, *jobs: Job, obstacle: str | None = None) -> WorkflowDecision:
    return decide_workflow(workflow, {job.id: job for job in jobs}, NOON, RULES, obstacle=obstacle)


def test_a_step_begins_when_the_one_before_has_succeeded() -> None:
    workflow = a_workflow()
    first = decided(workflow)
    assert (first.action, first.step) == (WorkflowAction.BEGIN_STEP, 0)
    workflow = workflow.begin_step(0, at=NOON)
    assert workflow.status is WorkflowStatus.RUNNING
    job = step_job(0)
    waiting = decided(workflow, job)
    assert (waiting.action, waiting.again_at) == (WorkflowAction.WAIT, NOON + RULES.poll)
    job = job.succeed(at=NOON)
    assert decided(workflow, job).step == 1
    workflow = workflow.begin_step(1, at=NOON)
    assert decided(workflow, job, step_job(1).succeed(at=NOON)).action is WorkflowAction.COMPILE
    assert workflow.succeed(at=NOON).status is WorkflowStatus.SUCCEEDED


def test_it_fails_and_stops_with_the_words_of_its_job() -> None:
    workflow = a_workflow().begin_step(0, at=NOON)
    failed = decided(workflow, step_job(0).fail(Cause.WORKER_FAILED, "no ground truth", at=NOON))
    assert (failed.action, failed.cause) == (WorkflowAction.FAIL, Cause.STEP_FAILED)
    assert failed.why == "step 1, inference, failed: no ground truth"
    stopped = decided(workflow, step_job(0).stop("ann wants it", at=NOON))
    assert stopped.action is WorkflowAction.STOP and "ann wants it" in stopped.why


def test_a_job_that_was_deleted_and_a_step_that_cannot_begin_end_it() -> None:
    assert decided(a_workflow().begin_step(0, at=NOON)).cause is Cause.STEP_LOST
    blocked = decided(a_workflow(), obstacle="the dataset was deleted")
    assert (blocked.cause, blocked.why) == (
        Cause.OBSTACLE,
        "step 1, inference, cannot begin: the dataset was deleted",
    )


def test_a_step_begins_once_and_in_its_turn() -> None:
    workflow = a_workflow()
    with pytest.raises(Conflict, match="step 2 of 2 cannot begin now"):
        workflow.begin_step(1, at=NOON)
    begun = workflow.begin_step(0, at=NOON)
    with pytest.raises(Conflict, match="step 1 of 2"):
        begun.begin_step(0, at=NOON)
    with pytest.raises(Conflict, match="to be stopped"):
        begun.ask_stop("no", at=NOON).begin_step(1, at=NOON)
    with pytest.raises(Conflict, match="step 3 of 2"):
        begun.begin_step(1, at=NOON).begin_step(2, at=NOON)


def test_nothing_is_done_with_a_workflow_that_has_ended() -> None:
    ended = a_workflow().fail(Cause.OBSTACLE, "no", at=NOON)
    assert decided(ended).action is WorkflowAction.NOTHING
    for act in (
        lambda: ended.begin_step(0, at=NOON),
        lambda: ended.succeed(at=NOON),
        lambda: ended.stop("x", at=NOON),
        lambda: ended.ask_stop("x", at=NOON),
        lambda: ended.fail(Cause.OBSTACLE, "x", at=NOON),
        lambda: a_workflow().succeed(at=NOON),
    ):
        with pytest.raises(InvalidTransition):
            act()


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(Invalid, match="two steps"):
        Workflow.created(at=NOON, jobs=(STEPS[0], STEPS[0]), **_fields())
    with pytest.raises(Invalid, match="last event"):
        a_workflow().evolve(status=WorkflowStatus.FAILED)
    steps = a_workflow().steps
    with pytest.raises(Invalid, match="before the one before it"):
        a_workflow().evolve(steps=(steps[0], steps[1].evolve(begun_at=NOON)))


def _fields() -> dict[str, Any]:
    workflow = a_workflow()
    return {name: getattr(workflow, name) for name in ("id", "project_id", "evaluation_id", "name", "model")}


ENDS = ("succeed", "fail", "stop", "delete")


@given(
    st.lists(st.sampled_from(ENDS), min_size=2, max_size=2),
    st.none() | st.integers(0, 12),
    st.lists(st.integers(1, 4), min_size=2, max_size=2),
)
def test_every_workflow_ends_with_a_reason(ends: list[str], stop_at: int | None, lengths: list[int]) -> None:
    """Jobs end in any way after any time, somebody may stop it at any moment, and each look is another
    process that knows only what is saved."""
    workflow, jobs, age = a_workflow(), {}, {}
    for second in range(30):
        now = NOON + second * SECOND
        if second == stop_at and not workflow.status.has_ended:
            workflow = workflow.ask_stop("ann wants it", at=now)
        decision = decide_workflow(workflow, jobs, now, RULES)
        workflow = _carried_out(workflow, decision, jobs, now)
        _time_passes(jobs, age, ends, lengths, now)
    assert workflow.status.has_ended and workflow.why
    if stop_at is None:
        expected = {"fail": "failed", "delete": "failed", "stop": "stopped"}
        first_bad = next((end for end in ends if end != "succeed"), None)
        assert workflow.status == expected.get(first_bad or "", "succeeded")
    assert all(job.status.has_ended for job in jobs.values())


def _ended(job: Job, end: str, now: Any) -> dict[JobId, Job]:
    match end:
        case "fail":
            return {job.id: job.fail(Cause.WORKER_FAILED, "it broke", at=now)}
        case "stop":
            return {job.id: job.stop("told", at=now)}
    return {job.id: job.succeed(at=now)}


def _carried_out(
    workflow: Workflow, decision: WorkflowDecision, jobs: dict[JobId, Job], now: Any
) -> Workflow:
    match decision.action:
        case WorkflowAction.BEGIN_STEP:
            jobs[STEPS[decision.step or 0][1]] = step_job(decision.step or 0)
            return workflow.begin_step(decision.step or 0, at=now)
        case WorkflowAction.STOP_JOBS:
            for job_id in decision.jobs:
                jobs[job_id] = jobs[job_id].ask_stop(decision.why, at=now)
        case WorkflowAction.COMPILE:
            return workflow.succeed(at=now)
        case WorkflowAction.FAIL:
            return workflow.fail(decision.cause or Cause.STEP_FAILED, decision.why, at=now)
        case WorkflowAction.STOP:
            return workflow.stop(decision.why, at=now)
    return workflow


def _time_passes(
    jobs: dict[JobId, Job], age: dict[JobId, int], ends: list[str], lengths: list[int], now: Any
) -> None:
    for position, (_, job_id) in enumerate(STEPS):
        job = jobs.get(job_id)
        if job is None or job.status.has_ended:
            continue
        age[job_id] = age.get(job_id, 0) + 1
        if job.stop_asked_at is not None:
            jobs[job_id] = job.stop("told", at=now)
        elif age[job_id] >= lengths[position]:
            jobs.update(_ended(job, ends[position], now))
            if ends[position] == "delete":
                del jobs[job_id]
