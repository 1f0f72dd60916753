"""What goes with a workflow that is deleted: its jobs, which are ended first, and its tracked experiment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import NamedTuple

from tracker.domain.errors import Conflict, NotFound
from tracker.domain.evaluation.jobs.erasing.service import erase_jobs
from tracker.domain.evaluation.jobs.job import Job
from tracker.domain.experiments.service import erase_experiment
from tracker.domain.identity.actor import Actor
from tracker.domain.ids import DatasetId, ExperimentId, JobId, WorkflowId
from tracker.domain.projects.purge import GRACE
from tracker.ports.clock import Clock
from tracker.ports.evaluation.runner import JobRunner
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import UnitsOfWork, WritingUnit

__all__ = ["WorkflowDeletion", "WorkflowErasing"]


KEPT_OF_WORKFLOWS = (
    "the dataset of their evaluation",
    "answers of models, which the cache of their project remembers",
)
"""What no deletion of a workflow takes away."""


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


class WorkflowErasing:
    """Ends workflows and removes them, after their caller was found to be allowed to.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ids: names orders to purge.
        runner: of their jobs.
        purge: carries out what deletions left to do.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        clock: Clock,
        ids: IdGenerator,
        *,
        runner: JobRunner,
        purge: Callable[[], Awaitable[object]],
    ) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids
        self._runner = runner
        self._purge = purge

    async def end(self, workflow_ids: Collection[WorkflowId]) -> None:
        """Has the jobs of workflows run nowhere any more.

        First it is saved that they are to stop, so that nobody begins another attempt; then the runner ends
        the present ones, or has them never begin.

        Raises:
            Unavailable: the runner does not answer; who looks after them will end them.
        """
        now = self._clock.now()
        attempts: list[Job] = []
        async with self._units.writing() as unit:
            for workflow_id in workflow_ids:
                attempts += await self._stopping(unit, workflow_id, now)
            await unit.commit()
        for job in attempts:
            await self._runner.kill(job.id, job.attempt)

    async def _stopping(self, unit: WritingUnit, workflow_id: WorkflowId, now: datetime) -> list[Job]:
        """Those of its jobs that may run."""
        workflow = await unit.workflows.get(workflow_id)
        if not workflow.status.has_ended:
            await unit.workflows.save(workflow.ask_stop("it is being deleted", at=now))
        may_run = []
        for job_id in await unit.jobs.some([step.job_id for step in workflow.steps]):
            job = await unit.jobs.get(job_id)  # held until the unit ends: its worker saves it often
            if not job.status.has_ended:
                await unit.jobs.save(job.ask_stop("its workflow is being deleted", at=now))
                may_run += [job] if job.attempt > 0 else []
        return may_run

    async def erase(
        self, unit: WritingUnit, actor: Actor, workflow_ids: Collection[WorkflowId]
    ) -> WorkflowDeletion:
        """Removes workflows that were ended, in a unit that its caller commits.

        Raises:
            Conflict: one of their jobs began anew meanwhile.
        """
        review_at = self._clock.now() + GRACE
        jobs: list[JobId] = []
        recorded: list[ExperimentId] = []
        for workflow_id in workflow_ids:
            workflow = await unit.workflows.get(workflow_id)
            if not workflow.status.has_ended and workflow.stop_asked_at is None:
                raise Conflict(f"workflow {workflow_id} is {workflow.status}; stop it first")
            jobs += await unit.jobs.some([step.job_id for step in workflow.steps])
            if workflow.experiment_id is not None:
                recorded.append(workflow.experiment_id)
            await unit.workflows.delete(workflow_id)
        datasets = await erase_jobs(unit, jobs, review_at=review_at)
        experiments = [each for each in recorded if await self._experiment_erased(unit, actor, each)]
        return WorkflowDeletion(
            tuple(workflow_ids), tuple(jobs), datasets, tuple(experiments), KEPT_OF_WORKFLOWS
        )

    async def _experiment_erased(self, unit: WritingUnit, actor: Actor, experiment_id: ExperimentId) -> bool:
        """Whether it was there."""
        try:
            experiment, scope = await unit.experiments.with_scope(experiment_id)
        except NotFound:
            return False
        await erase_experiment(unit, actor, experiment, scope, clock=self._clock, ids=self._ids)
        return True

    async def erased(self, deletion: WorkflowDeletion) -> None:
        """To be called once the deletion is committed: what is outside of the database goes, too."""
        for job_id in deletion.jobs:
            await self._runner.forget(job_id)
        await self._purge()
