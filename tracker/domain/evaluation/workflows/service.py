"""Use cases of workflows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from tracker.domain.errors import Conflict, Invalid, NotFound, Problem
from tracker.domain.evaluation.evaluation import Evaluation
from tracker.domain.evaluation.files.service import FileService
from tracker.domain.evaluation.homes.service import require_in
from tracker.domain.evaluation.jobs.checking.service import JobChecks
from tracker.domain.evaluation.jobs.config import EvaluatorConfig, InferenceConfig
from tracker.domain.evaluation.jobs.files import COMPILED, RESULT, SUMMARY
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.service import JobLogs
from tracker.domain.evaluation.links.service import LinkService
from tracker.domain.evaluation.refusals import MISSING_EVALUATION, WORKFLOW_IS_RUNNING
from tracker.domain.evaluation.workflows.erasing.service import WorkflowDeletion, WorkflowErasing
from tracker.domain.evaluation.workflows.recorded import (
    TAG,
    PlannedWorkflow,
    effective_prompt,
    recorded_features,
    recorded_params,
)
from tracker.domain.evaluation.workflows.workflow import Workflow
from tracker.domain.experiments.drafts.service import Drafting, ignored
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action
from tracker.domain.ids import EvaluationId, ExperimentId, JobId, WorkflowId
from tracker.domain.json_tree import EMPTY
from tracker.ports.clock import Clock
from tracker.ports.evaluation.jobs import JobFile
from tracker.ports.evaluation.runner import JobRunner
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork

__all__ = ["WorkflowDeletion", "WorkflowDetail", "WorkflowJob", "WorkflowService", "effective_prompt"]

_LONGEST_NAME = 100
"""Of an experiment."""


class WorkflowJob(NamedTuple):
    """A job of a workflow, with what it left.

    Attributes:
        job: which.
        metrics: means by name, as far as it has a result.
        parameters: of its result, or of its configuration.
        link: to its result, for :meth:`LinkService.follow`; ``None`` while there is none.
    """

    job: Job
    metrics: Mapping[str, float]
    parameters: Mapping[str, Any]
    link: str | None


class WorkflowDetail(NamedTuple):
    """A workflow with all that is known of it.

    Attributes:
        workflow: which.
        system_prompt: that its model is told, the effective one.
        jobs: that have begun, in the order of its steps.
        metrics: of the compiled result, by name; empty before.
        parameters: of the compiled result; before, of its jobs.
        link: to the compiled result, for :meth:`LinkService.follow`; ``None`` before.
    """

    workflow: Workflow
    system_prompt: str
    jobs: tuple[WorkflowJob, ...]
    metrics: Mapping[str, Any]
    parameters: Mapping[str, Any]
    link: str | None


class WorkflowService:
    """Everything people do with workflows. They are moved on by whoever looks after them (the overseer).

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ids: names new things.
        checks: looks whether its jobs could do their work.
        files: reads what they left.
        links: signs links to it.
        erasing: ends and removes them.
        runner: that runs them.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        clock: Clock,
        ids: IdGenerator,
        *,
        checks: JobChecks,
        files: FileService,
        links: LinkService,
        erasing: WorkflowErasing,
        runner: JobRunner,
    ) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids
        self._checks = checks
        self._files = files
        self._links = links
        self._erasing = erasing
        self._logs = JobLogs(runner)

    async def create(
        self,
        actor: Actor,
        *,
        evaluation_id: EvaluationId,
        name: str,
        model: str,
        provider: str,
        description: str = "",
        secret_key_name: str | None = None,
        batch_size: int = 1,
        base_url: str | None = None,
        system_prompt: str = "",
        output_field: str = "predictions",
        generation_config: Mapping[str, Any] | None = None,
        time_limit: timedelta = timedelta(hours=1),
        metrics: Sequence[str] | None = None,
        llm_as_judge: Mapping[str, Any] | None = None,
        requests_per_minute: float | None = None,
    ) -> Workflow:
        """A new workflow: inference with one model, then evaluation; and the tracked experiment of it.

        Args:
            actor: in whose name, and with whose secrets, its jobs run.
            evaluation_id: whose dataset, task and ``max_samples`` it takes.
            name: what it is called.
            model: by which name its endpoint knows it.
            provider: how it is reached.
            description: in words.
            secret_key_name: of the endpoint's key.
            batch_size: rows that are sent to the model at once.
            base_url: of its endpoint; ``None`` = the provider's own.
            system_prompt: empty takes the task's own.
            output_field: the column for the answers.
            generation_config: as clients write it; ``None`` takes the defaults.
            time_limit: for which each of its jobs may run.
            metrics: by name; ``None`` takes the default ones that are installed.
            llm_as_judge: as clients write it; ``None`` = nobody judges.
            requests_per_minute: that its model is sent at most; ``None`` = as many as it takes.

        Raises:
            Forbidden: `actor` may not add to the evaluation's project.
            Invalid: as for :meth:`JobService.create`, and ``missing_evaluation`` where there is no such
                evaluation that they may see.
            Unavailable: the runner is out of reach.
        """
        async with self._units.reading() as unit:
            evaluation = await self._evaluation(unit, actor, evaluation_id)
        inference = {
            "model": model, "provider": provider, "base_url": base_url, "output_field": output_field,
            "generation_config": dict(generation_config or {}), "store_to_dataset": True,
            "system_prompt": system_prompt, "secret_key_name": secret_key_name,
            "requests_per_minute": requests_per_minute,
        }  # fmt: skip
        chosen = self._checks.default_metrics() if metrics is None else tuple(metrics)
        scoring = {"metrics": chosen, "llm_as_judge": llm_as_judge}
        planned = self._planned(evaluation, inference, scoring, batch_size=batch_size, limit=time_limit)
        told = {"name": name, "description": description, "model": model, "created_by": actor.user_id}
        workflow = self._made(evaluation, planned, told)
        async with self._units.reading() as unit:
            await self._require_fit(unit, actor, evaluation, planned)
        await self._checks.require_runner()
        return await self._added(actor, workflow, planned)

    def _made(self, evaluation: Evaluation, planned: PlannedWorkflow, told: Mapping[str, Any]) -> Workflow:
        return Workflow.created(
            at=self._clock.now(),
            jobs=[(kind, JobId(self._ids.new())) for kind in (JobKind.INFERENCE, JobKind.EVALUATOR)],
            id=WorkflowId(self._ids.new()),
            project_id=evaluation.project_id,
            evaluation_id=evaluation.id,
            config=planned.to_json(),
            **told,
        )

    def _planned(
        self,
        evaluation: Evaluation,
        inference: Mapping[str, Any],
        scoring: Mapping[str, Any],
        *,
        batch_size: int,
        limit: timedelta,
    ) -> PlannedWorkflow:
        if batch_size < 1:
            raise Invalid.field("batch_size", "must be at least 1")
        if not timedelta(0) < limit <= timedelta(days=365):
            raise Invalid.field("job_timeout_sec", "must be above 0, and a year at most")
        task = evaluation.task.model_dump(mode="json")
        first = self._checks.configured(JobKind.INFERENCE, {**inference, "task_definition": task})
        second = self._checks.configured(JobKind.EVALUATOR, {**scoring, "task_definition": task})
        if not isinstance(first, InferenceConfig) or not isinstance(second, EvaluatorConfig):
            raise TypeError("a configuration is of its kind")
        return PlannedWorkflow(first, second, batch_size, limit.total_seconds())

    async def _require_fit(
        self, unit: ReadingUnit, actor: Actor, evaluation: Evaluation, planned: PlannedWorkflow
    ) -> None:
        """Lets pass what its evaluation's dataset has the columns for, and whose secrets are stored."""
        dataset = await unit.datasets.get(evaluation.dataset_id)
        taken = {dataset.columns.examples: "examples", dataset.columns.ground_truth: "ground truth"}
        if part := taken.get(planned.inference.output_field):
            raise Invalid.field("inference_output_field", f"answers cannot stand in the column of {part}")
        self._checks.require_fit(JobKind.INFERENCE, planned.inference, dataset)
        self._checks.require_fit(JobKind.EVALUATOR, planned.evaluation, dataset, answered=True)
        await self._checks.require_secrets(unit, planned.inference, actor.user_id)
        await self._checks.require_secrets(unit, planned.evaluation, actor.user_id)

    async def _added(self, actor: Actor, workflow: Workflow, planned: PlannedWorkflow) -> Workflow:
        """Keeps the workflow and its tracked experiment, both or none."""
        async with self._units.writing() as unit:
            evaluation = await self._evaluation(unit, actor, workflow.evaluation_id)
            project = await unit.projects.get(evaluation.project_id)
            dataset = await unit.datasets.get(evaluation.dataset_id)
            draft = {
                "name": workflow.name[:_LONGEST_NAME],
                "description": workflow.description,
                "features": recorded_features(planned, evaluation, dataset),
                "params": recorded_params(planned, evaluation, dataset),
                "tags": (TAG,),
            }
            drafting = Drafting(unit, project, actor, self._clock, self._ids)
            (experiment,) = await drafting.made([draft], warn=ignored)
            await unit.experiments.add(experiment)
            recorded = workflow.evolve(experiment_id=ExperimentId(experiment.id))
            await unit.workflows.add(recorded)
            await unit.commit()
        return recorded

    async def get(self, actor: Actor, workflow_id: WorkflowId) -> WorkflowDetail:
        """One workflow with its jobs and what they left.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        async with self._units.reading() as unit:
            workflow = await visible_workflow(unit, actor, workflow_id, Action.EXPERIMENTS_VIEW)
        return await self.detail(workflow)

    async def detail(self, workflow: Workflow) -> WorkflowDetail:
        """All that is known of a workflow that its caller was shown."""
        step_ids = [step.job_id for step in workflow.steps]
        async with self._units.reading() as unit:
            jobs = await unit.jobs.some(step_ids)
            results = await unit.job_files.find(step_ids, RESULT)
            summaries = await unit.job_files.find(step_ids, SUMMARY)
            is_compiled = bool(await unit.job_files.find(step_ids[-1:], COMPILED))
        shown = [
            await self._shown(jobs[key], summaries.get(key), key in results)
            for key in step_ids
            if key in jobs
        ]
        metrics: dict[str, Any] = {}
        parameters: dict[str, Any] = {}
        for each in reversed(shown):  # what both say is the first step's, as in the compiled result
            parameters.update(each.parameters)
            if is_compiled:
                metrics.update(each.metrics)
        link = self._links.to_job_file(step_ids[-1], COMPILED) if is_compiled else None
        return WorkflowDetail(workflow, effective_prompt(workflow), tuple(shown), metrics, parameters, link)

    async def _shown(self, job: Job, summary: JobFile | None, has_result: bool) -> WorkflowJob:
        link = self._links.to_job_file(job.id, RESULT) if has_result else None
        if summary is None:
            return WorkflowJob(job, EMPTY, job.config, link)
        try:
            found = await self._files.document(summary.digest)
        except NotFound:
            return WorkflowJob(job, EMPTY, job.config, link)
        return WorkflowJob(job, found["means"], found["parameters"], link)

    async def logs(self, actor: Actor, workflow_id: WorkflowId) -> str:
        """What happened to it and its jobs, and what their workers printed.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        async with self._units.reading() as unit:
            workflow = await visible_workflow(unit, actor, workflow_id, Action.EXPERIMENTS_VIEW)
            jobs = await unit.jobs.some([step.job_id for step in workflow.steps])
        parts = [
            f"{one.at:%Y-%m-%d %H:%M:%S} {one.status:9} {one.cause}: {one.why}" for one in workflow.events
        ]
        for step in workflow.steps:
            if step.job_id in jobs:
                parts.append(f"--- job {step.job_id}, {step.kind}")
                parts.append((await self._logs.of(jobs[step.job_id])).rstrip())
        return "\n".join(parts) + "\n"

    async def result_link(self, actor: Actor, workflow_id: WorkflowId) -> str:
        """A link to the compiled result, for :meth:`LinkService.follow`.

        Raises:
            NotFound: there is none that `actor` may see.
            Conflict: it is not ready, or never will be; says its state and why.
        """
        async with self._units.reading() as unit:
            workflow = await visible_workflow(unit, actor, workflow_id, Action.EXPERIMENTS_VIEW)
            last = workflow.steps[-1].job_id
            is_compiled = bool(await unit.job_files.find([last], COMPILED))
        if not is_compiled:
            raise Conflict(f"workflow {workflow_id} has no result: it is {workflow.status} ({workflow.why})")
        return self._links.to_job_file(last, COMPILED)

    async def stop(self, actor: Actor, workflow_id: WorkflowId) -> Workflow:
        """Asks it and its jobs to stop.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not edit it.
            InvalidTransition: it has ended.
        """
        async with self._units.writing() as unit:
            workflow = await visible_workflow(unit, actor, workflow_id, Action.EXPERIMENTS_EDIT)
            saved = await unit.workflows.save(workflow.ask_stop("it was stopped", at=self._clock.now()))
            await unit.commit()
        return saved

    async def delete(self, actor: Actor, workflow_id: WorkflowId, *, force: bool = False) -> WorkflowDeletion:
        """Removes it with its jobs, what they left, and its tracked experiment.

        Args:
            actor: who asks.
            workflow_id: which.
            force: end its jobs first, if it has not ended.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not delete it.
            Invalid: it has not ended, and `force` is not given; of the kind ``workflow_is_running``.
            Unavailable: the runner could not be told to end its job; it is asked to stop all the same.
        """
        async with self._units.reading() as unit:
            workflow = await visible_workflow(unit, actor, workflow_id, Action.EXPERIMENTS_DELETE)
        if not workflow.status.has_ended and not force:
            why = f"workflow {workflow_id} is {workflow.status}; stop it first, or delete it with force=true"
            raise Invalid(why, [Problem(("force",), why, WORKFLOW_IS_RUNNING)])
        await self._erasing.end([workflow_id])
        async with self._units.writing() as unit:
            await visible_workflow(unit, actor, workflow_id, Action.EXPERIMENTS_DELETE)
            deletion = await self._erasing.erase(unit, actor, [workflow_id])
            await unit.commit()
        await self._erasing.erased(deletion)
        return deletion

    def system_prompt(self, workflow: Workflow) -> str:
        """What the model of a workflow is told, the effective one."""
        return effective_prompt(workflow)

    async def _evaluation(self, unit: ReadingUnit, actor: Actor, evaluation_id: EvaluationId) -> Evaluation:
        try:
            evaluation = await unit.evaluations.get(evaluation_id)
            await require_in(
                unit, actor, evaluation.project_id, Action.EXPERIMENTS_CREATE,
                kind="evaluation", key=evaluation_id,
            )  # fmt: skip
        except NotFound as error:
            why = f"experiment {evaluation_id} not found"
            raise Invalid(
                f"experiment_id: {why}", [Problem(("experiment_id",), why, MISSING_EVALUATION)]
            ) from error
        return evaluation


async def visible_workflow(
    unit: ReadingUnit, actor: Actor, workflow_id: WorkflowId, action: Action
) -> Workflow:
    """The workflow, if `actor` may do `action` in its project.

    Raises:
        NotFound: there is none, or the actor may not see it.
        Forbidden: they may see it, but not do this.
    """
    workflow = await unit.workflows.get(workflow_id)
    await require_in(unit, actor, workflow.project_id, action, kind="workflow", key=workflow_id)
    return workflow
