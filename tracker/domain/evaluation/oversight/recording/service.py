"""Workflows as tracked experiments: what is recorded, and when."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid5

from tracker.domain.artifacts.artifact import Artifact
from tracker.domain.errors import Conflict, Invalid, NotFound
from tracker.domain.evaluation.files.service import Put
from tracker.domain.evaluation.workflows.recorded import recorded_values
from tracker.domain.evaluation.workflows.workflow import Workflow, WorkflowStatus
from tracker.domain.experiments.ending import EndKind, shortened
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.ids import ArtifactId, BatchId, ExperimentId, JobId, MetricId, ProjectId
from tracker.domain.metrics.metric import Metric
from tracker.domain.projects.purge import GRACE
from tracker.domain.scalars.record import LoggedRow, batch_of, microseconds
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.scalars import ScalarStore
from tracker.ports.unit_of_work import UnitsOfWork, WritingUnit

__all__ = ["Recording"]

RESULTS = "results.json"
"""The artifact of a workflow: its compiled result."""

_PAGE = 1000


class Recording:
    """Keeps the experiment of a workflow up with it. One that people have deleted stays deleted.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ids: names new things.
        scalars: the store of time series.
        logged: told when an experiment got points.
        ended: told when an experiment has come to its end.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        clock: Clock,
        ids: IdGenerator,
        *,
        scalars: ScalarStore,
        logged: Callable[[ProjectId, ExperimentId], object],
        ended: Callable[[ProjectId, ExperimentId], Awaitable[object]],
    ) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids
        self._scalars = scalars
        self._logged = logged
        self._ended = ended

    async def rows(self, workflow: Workflow, job_id: JobId) -> None:
        """Records tokens and times of each row as scalars; again, it changes nothing.

        Raises:
            Unavailable: the store does not answer.
        """
        if workflow.experiment_id is None:
            return
        after = 0
        while True:
            async with self._units.reading() as unit:
                page = await unit.job_rows.some(job_id, after=after, limit=_PAGE)
            if not page:
                return
            rows = [LoggedRow(one.number, recorded_values(one), (), microseconds(one.at)) for one in page]
            batch_id = BatchId(uuid5(workflow.id, f"{job_id} {after}"))
            batch = batch_of(
                rows, batch_id=batch_id, experiment_id=workflow.experiment_id, now=self._clock.now()
            )
            try:
                await self._scalars.append(workflow.project_id, batch)
            except NotFound:  # people have deleted it meanwhile
                return
            self._logged(workflow.project_id, workflow.experiment_id)
            after = page[-1].number

    async def moved(self, unit: WritingUnit, workflow: Workflow, at: datetime) -> None:
        """Has the experiment follow the workflow's status, in the unit that saves that."""
        experiment = await _experiment(unit, workflow)
        if experiment is None:
            return
        try:
            await unit.experiments.save(_following(experiment, workflow, at))
        except Conflict:
            return  # people have ended it otherwise

    async def scored(
        self, unit: WritingUnit, workflow: Workflow, means: Mapping[str, float], put: Put, at: datetime
    ) -> None:
        """Records the scores as metrics and the compiled result as an artifact. Its bytes were referred to
        in this unit before."""
        experiment = await _experiment(unit, workflow)
        if experiment is None:
            return
        await unit.metrics.put(list(self._metrics(experiment.id, means, at)))
        present = await unit.artifacts.find(experiment.id, RESULTS, None)
        if present is not None and present.digest != put.digest:
            await unit.blobs.release_one(present.digest, review_at=at + GRACE)
        await unit.artifacts.put(
            Artifact(
                id=ArtifactId(self._ids.new()),
                project_id=experiment.project_id,
                experiment_id=experiment.id,
                name=RESULTS,
                kind="evaluation",
                media_type="application/json",
                digest=put.digest,
                size=put.size,
                created_at=at,
                created_by=workflow.created_by,
            )
        )

    async def settled(self, workflow: Workflow) -> None:
        """To be called once the end of a workflow is committed."""
        if workflow.experiment_id is not None and workflow.status.has_ended:
            await self._ended(workflow.project_id, workflow.experiment_id)

    def _metrics(
        self, experiment_id: ExperimentId, means: Mapping[str, Any], at: datetime
    ) -> tuple[Metric, ...]:
        found = []
        for name, value in means.items():
            try:
                metric = Metric(
                    id=MetricId(self._ids.new()),
                    experiment_id=experiment_id,
                    name=name,
                    value=value,
                    created_at=at,
                )
            except Invalid:  # a regular expression can be longer than a name
                continue
            found.append(metric)
        return tuple(found)


async def _experiment(unit: WritingUnit, workflow: Workflow) -> Experiment | None:
    if workflow.experiment_id is None:
        return None
    try:
        return await unit.experiments.get(workflow.experiment_id)
    except NotFound:
        return None


def _following(experiment: Experiment, workflow: Workflow, at: datetime) -> Experiment:
    match workflow.status:
        case WorkflowStatus.RUNNING:
            return experiment.start(at=at)
        case WorkflowStatus.SUCCEEDED:
            return experiment.complete(at=at).evolve(progress=100.0)
        case WorkflowStatus.FAILED:
            return experiment.fail(at=at, kind=EndKind.OTHER, reason=shortened(workflow.why))
        case WorkflowStatus.STOPPED:
            why = shortened(f"cancelled: {workflow.why}")
            return experiment.fail(at=at, kind=EndKind.TERMINATED, reason=why)
    return experiment
