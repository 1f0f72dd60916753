"""Moving workflows on: one look at one workflow, whoever looks, and whenever."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from tracker.domain.errors import Conflict, Invalid, NotFound, Unavailable
from tracker.domain.evaluation.events import Cause
from tracker.domain.evaluation.files.service import FileService, Put, read_document
from tracker.domain.evaluation.jobs.checking.service import JobChecks
from tracker.domain.evaluation.jobs.files import COMPILED, RESULT, summary_of
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.domain.evaluation.jobs.leaving.service import encoded, one_piece, put_file
from tracker.domain.evaluation.oversight.recording.service import Recording
from tracker.domain.evaluation.results import Document, compiled
from tracker.domain.evaluation.workflows.deciding import WorkflowAction, WorkflowDecision, decide_workflow
from tracker.domain.evaluation.workflows.recorded import PlannedWorkflow
from tracker.domain.evaluation.workflows.workflow import Workflow
from tracker.domain.ids import DatasetId, JobId, UserId, WorkflowId
from tracker.ports.clock import Clock
from tracker.ports.evaluation.datasets import SpooledFile
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork, WritingUnit

__all__ = ["Stepping"]

_MOST_STEPS = 4
_QUIET = (WorkflowAction.WAIT, WorkflowAction.NOTHING)
_MOST_BYTES = 2**40
# For a store that does not answer when results are put together.
_PATIENCE = timedelta(minutes=5)


class _Judged(NamedTuple):
    """A workflow as it is now, its jobs, the job of its next step, and what to do."""

    workflow: Workflow
    jobs: Mapping[JobId, Job]
    following: Job | None
    decision: WorkflowDecision


class _Merged(NamedTuple):
    """A compiled result.

    Attributes:
        content: of it, as JSON.
        means: of its metrics, by flat names.
    """

    content: bytes
    means: Mapping[str, float]


class Stepping:
    """Looks at a workflow's jobs, decides, does, saves.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        files: reads what jobs left, and keeps what comes of it.
        checks: looks whether the next step can be done.
        recording: keeps the experiment of the workflow.
        rules: how often to look.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        clock: Clock,
        *,
        files: FileService,
        checks: JobChecks,
        recording: Recording,
        rules: Rules | None = None,
    ) -> None:
        self._units = units
        self._clock = clock
        self._files = files
        self._checks = checks
        self._recording = recording
        self._rules = rules or Rules()

    async def look(self, workflow_id: WorkflowId) -> datetime | None:
        """Does what is to be done with a workflow now; when to look again, ``None`` when it has ended.

        At once, where something was done: its jobs have something to do now.
        """
        for done in range(_MOST_STEPS):
            try:
                decision = await self._step(workflow_id)
            except NotFound:
                return None  # it was deleted meanwhile
            if decision.action in _QUIET:
                return self._clock.now() if done and decision.again_at is not None else decision.again_at
        return self._clock.now()

    async def _step(self, workflow_id: WorkflowId) -> WorkflowDecision:
        async with self._units.reading() as unit:
            judged = await self._judge(unit, workflow_id)
        if judged.decision.action in _QUIET:
            return judged.decision
        if judged.decision.action is WorkflowAction.COMPILE:
            return await self._compile(judged)
        return await self._act(workflow_id, judged.decision.action)

    async def _judge(self, unit: ReadingUnit, workflow_id: WorkflowId) -> _Judged:
        now = self._clock.now()
        workflow = await unit.workflows.get(workflow_id)
        jobs = await unit.jobs.some([step.job_id for step in workflow.steps])
        following, why_not = None, None
        if not workflow.status.has_ended and workflow.stop_asked_at is None:
            try:
                following = await self._following(unit, workflow, now)
                why_not = None if following is None else await self._checks.obstacle(unit, following)
            except (NotFound, Invalid) as error:
                why_not = error.detail
        decision = decide_workflow(workflow, jobs, now, self._rules, obstacle=why_not)
        return _Judged(workflow, jobs, following, decision)

    async def _following(self, unit: ReadingUnit, workflow: Workflow, now: datetime) -> Job | None:
        """The job of the step that is next, as it would be made; ``None`` when all have begun.

        Raises:
            Invalid: what it would read is not there.
        """
        position = sum(step.begun_at is not None for step in workflow.steps)
        if position == len(workflow.steps):
            return None
        evaluation = await unit.evaluations.get(workflow.evaluation_id)
        if position == 0:
            source = evaluation.dataset_id
        else:
            source = await _made_by(unit, workflow.steps[position - 1].job_id)
        step, planned = workflow.steps[position], PlannedWorkflow.of_json(workflow.config)
        return Job.created(
            at=now,
            why=f"step {position + 1} of workflow {workflow.id}",
            id=step.job_id,
            project_id=workflow.project_id,
            workflow_id=workflow.id,
            kind=step.kind,
            name=f"{workflow.name[:240]} {step.kind}",
            dataset_id=source,
            max_samples=evaluation.max_samples,
            batch_size=planned.batch_size,
            config=planned.of_step(step.kind).model_dump(mode="json"),
            timeout=timedelta(seconds=planned.seconds),
            created_by=workflow.created_by,
        )

    async def _act(self, workflow_id: WorkflowId, wanted: WorkflowAction) -> WorkflowDecision:
        """Judges the workflow as it is now, and saves what comes of it."""
        now = self._clock.now()
        async with self._units.writing() as unit:
            judged = await self._judge(unit, workflow_id)
            decision = judged.decision
            if decision.action is not wanted:
                return _later("somebody else was faster", now, self._rules)
            try:
                workflow = await self._applied(unit, judged, now)
                saved = await unit.workflows.save(workflow)
            except Conflict as error:
                return _later(error.detail, now, self._rules)
            await self._recording.moved(unit, saved, now)
            await unit.commit()
        await self._recording.settled(saved)
        return decision

    async def _applied(self, unit: WritingUnit, judged: _Judged, now: datetime) -> Workflow:
        workflow, _, following, decision = judged
        match decision.action:
            case WorkflowAction.BEGIN_STEP if following is not None and decision.step is not None:
                await unit.jobs.add(following)
                return workflow.begin_step(decision.step, at=now)
            case WorkflowAction.STOP_JOBS:
                for job_id in decision.jobs:
                    job = await unit.jobs.get(job_id)  # held until the unit ends: its worker saves it often
                    if not job.status.has_ended:
                        await unit.jobs.save(job.ask_stop(decision.why, at=now))
            case WorkflowAction.FAIL:
                return workflow.fail(decision.cause or Cause.STEP_FAILED, decision.why, at=now)
            case WorkflowAction.STOP:
                return workflow.stop(decision.why, at=now)
        return workflow

    async def _compile(self, judged: _Judged) -> WorkflowDecision:
        workflow, now = judged.workflow, self._clock.now()
        try:
            merged = await self._merged(workflow)
            async with self._files.spooled(one_piece(merged.content), _MOST_BYTES) as file:
                put = await self._files.put(file, _owner(workflow))
            for step in workflow.steps:
                if step.kind is not JobKind.EVALUATOR:
                    await self._recording.rows(workflow, step.job_id)
        except (NotFound, Invalid, Conflict) as error:
            return await self._without_result(workflow, error.detail)
        except Unavailable as error:
            if now - workflow.updated_at < _PATIENCE + _longest_wait(judged):
                raise
            return await self._without_result(workflow, error.detail)
        return await self._succeeded(workflow.id, judged.decision, merged, put)

    async def _merged(self, workflow: Workflow) -> _Merged:
        async with self._units.reading() as unit:
            found = await unit.job_files.find([step.job_id for step in workflow.steps], RESULT)
        first, *others = [found.get(step.job_id) for step in workflow.steps]
        if first is None or None in others:
            raise NotFound("a result of its jobs was deleted")
        document = await self._files.document(first.digest)
        merged = _Merged(b"", {})
        for file in others:
            if file is not None:
                merged = await self._files.read(file.digest, partial(_with, document))
        return merged

    async def _succeeded(
        self, workflow_id: WorkflowId, decision: WorkflowDecision, merged: _Merged, put: Put
    ) -> WorkflowDecision:
        now = self._clock.now()
        async with self._units.writing() as unit:
            judged = await self._judge(unit, workflow_id)
            if judged.decision.action is not WorkflowAction.COMPILE:
                return _later("somebody else was faster", now, self._rules)
            last = judged.jobs[judged.workflow.steps[-1].job_id]
            await put_file(unit, last, COMPILED, put, now)
            saved = await unit.workflows.save(judged.workflow.succeed(at=now))
            await self._recording.scored(unit, saved, merged.means, put, now)
            await self._recording.moved(unit, saved, now)
            await unit.commit()
        await self._recording.settled(saved)
        return decision

    async def _without_result(self, workflow: Workflow, why: str) -> WorkflowDecision:
        now = self._clock.now()
        async with self._units.writing() as unit:
            present = await unit.workflows.get(workflow.id)
            if present.status.has_ended:
                return _later("somebody else was faster", now, self._rules)
            failed = present.fail(Cause.NO_RESULT, f"its results cannot be put together: {why}", at=now)
            saved = await unit.workflows.save(failed)
            await self._recording.moved(unit, saved, now)
            await unit.commit()
        await self._recording.settled(saved)
        return WorkflowDecision(WorkflowAction.FAIL, saved.why)


async def _made_by(unit: ReadingUnit, job_id: JobId) -> DatasetId:
    made = await unit.datasets.of_jobs([job_id])
    if not made:
        raise Invalid(f"the dataset that job {job_id} made was deleted")
    return made[0].id


def _owner(workflow: Workflow) -> UserId:
    if workflow.created_by is None:
        raise Invalid("the user in whose name it runs was deleted")
    return workflow.created_by


def _longest_wait(judged: _Judged) -> timedelta:
    """Since the workflow last moved, its last job has run."""
    last = max((job.updated_at for job in judged.jobs.values()), default=judged.workflow.updated_at)
    return max(timedelta(0), last - judged.workflow.updated_at)


def _with(inference: Document, file: SpooledFile) -> _Merged:
    whole: dict[str, Any] = compiled(inference, read_document(file))
    return _Merged(encoded(whole), summary_of(whole)["means"])


def _later(why: str, now: datetime, rules: Rules) -> WorkflowDecision:
    return WorkflowDecision(WorkflowAction.WAIT, why, again_at=now + rules.poll)
