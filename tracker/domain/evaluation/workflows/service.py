"""Use cases of workflows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from tracker.domain.evaluation.jobs.job import Job
from tracker.domain.evaluation.workflows.workflow import Workflow
from tracker.domain.identity.actor import Actor
from tracker.domain.ids import DatasetId, EvaluationId, ExperimentId, JobId, WorkflowId

__all__ = ["WorkflowDeletion", "WorkflowDetail", "WorkflowJob", "WorkflowService"]


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


class WorkflowDeletion(NamedTuple):
    """What the deletion of workflows did.

    Attributes:
        workflows, jobs, datasets, experiments: that are gone: generated datasets, tracked experiments.
        kept: what stays, and why, in words.
    """

    workflows: tuple[WorkflowId, ...] = ()
    jobs: tuple[JobId, ...] = ()
    datasets: tuple[DatasetId, ...] = ()
    experiments: tuple[ExperimentId, ...] = ()
    kept: tuple[str, ...] = ()


class WorkflowService:
    """Everything people do with workflows. They are moved on by whoever looks after them (the overseer)."""

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

        Raises:
            Forbidden: `actor` may not add to the evaluation's project.
            Invalid: as for :meth:`JobService.create`, and ``missing_evaluation`` where there is no such
                evaluation that they may see.
            Unavailable: the runner is out of reach.
        """
        raise NotImplementedError

    async def get(self, actor: Actor, workflow_id: WorkflowId) -> WorkflowDetail:
        """One workflow with its jobs and what they left.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        raise NotImplementedError

    def system_prompt(self, workflow: Workflow) -> str:
        """What the model of a workflow is told, the effective one."""
        raise NotImplementedError

    async def logs(self, actor: Actor, workflow_id: WorkflowId) -> str:
        """What happened to it and its jobs, and what their workers printed.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        raise NotImplementedError

    async def result_link(self, actor: Actor, workflow_id: WorkflowId) -> str:
        """A link to the compiled result, for :meth:`LinkService.follow`.

        Raises:
            NotFound: there is none that `actor` may see.
            Conflict: it is not ready, or never will be; says its state and why.
        """
        raise NotImplementedError

    async def stop(self, actor: Actor, workflow_id: WorkflowId) -> Workflow:
        """Asks it and its jobs to stop.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not edit it.
            InvalidTransition: it has ended.
        """
        raise NotImplementedError

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
        raise NotImplementedError
