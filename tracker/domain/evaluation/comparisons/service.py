"""Compares two workflows of one evaluation."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from tracker.domain.errors import Conflict, Invalid, NotFound, TooLarge, Unavailable
from tracker.domain.evaluation.comparisons.differences import Beside, beside
from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.evaluation.scoring.intervals import SEED
from tracker.domain.evaluation.workflows.workflow import Workflow
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action, require
from tracker.domain.ids import WorkflowId
from tracker.ports.blobs import BlobStore
from tracker.ports.evaluation.jobs import JobFile
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork

__all__ = ["ComparedWorkflows", "WorkflowComparisonService"]

_LARGEST = 256_000_000


class ComparedWorkflows(NamedTuple):
    """Two workflows of one evaluation, the second less the first.

    Attributes:
        first, second: which.
        beside: what differs between them.
    """

    first: Workflow
    second: Workflow
    beside: Beside


class WorkflowComparisonService:
    """Tells which of two models does better, and whether that could be chance.

    Args:
        units: opens units of work.
        store: of results.
        apart: calls a function with arguments away from the event loop, such as ``asyncio.to_thread``:
            ten thousand rows take seconds.
    """

    def __init__(self, units: UnitsOfWork, store: BlobStore, apart: Callable[..., Awaitable[Any]]) -> None:
        self._units = units
        self._store = store
        self._apart = apart

    async def compare(
        self, actor: Actor, first_id: WorkflowId, second_id: WorkflowId, *, seed: int = SEED
    ) -> ComparedWorkflows:
        """The second workflow less the first, by metric, on the rows that both have.

        Args:
            actor: who asks.
            first_id: such as the model that is in use.
            second_id: such as a candidate.
            seed: of the resamples, from 0.

        Raises:
            NotFound: there is no such workflow that `actor` may see.
            Forbidden: they may not see its results.
            Invalid: the two are one, or not of one evaluation; or the seed is below 0.
            Conflict: one has no result, or not yet; or they are not of the same rows.
            TooLarge: a result is too large to be compared.
            Unavailable: the store lost a result.
        """
        if seed < 0:
            raise Invalid.field("seed", "must be 0 or more")
        if first_id == second_id:
            raise Invalid.field("second", "is the same workflow as the first; name another")
        async with self._units.reading() as unit:
            workflows = [await _visible(unit, actor, each) for each in (first_id, second_id)]
            if workflows[0].evaluation_id != workflows[1].evaluation_id:
                raise Invalid.field("second", "belongs to another evaluation than the first")
            files = [await _result(unit, each) for each in workflows]
        contents = [await self._read(file) for file in files]
        found: Beside = await self._apart(_compared, contents[0], contents[1], seed)
        return ComparedWorkflows(workflows[0], workflows[1], found)

    async def _read(self, file: JobFile) -> bytes:
        if file.size > _LARGEST:
            raise TooLarge(f"a result of {file.size:,} bytes is too large to be compared here; download both")
        try:
            return b"".join([piece async for piece in self._store.read(file.digest)])
        except NotFound as error:
            raise Unavailable(f"the store has lost the result {file.digest}") from error


async def _visible(unit: ReadingUnit, actor: Actor, workflow_id: WorkflowId) -> Workflow:
    workflow = await unit.workflows.get(workflow_id)
    project = await unit.projects.get(workflow.project_id)
    require(actor, Action.EXPERIMENTS_VIEW, project.scope, kind="workflow", key=workflow_id)
    return workflow


async def _result(unit: ReadingUnit, workflow: Workflow) -> JobFile:
    """What its evaluator left."""
    job_ids = [step.job_id for step in workflow.steps if step.kind is JobKind.EVALUATOR]
    files = await unit.job_files.find(job_ids, "result")
    for job_id in reversed(job_ids):
        if job_id in files:
            return files[job_id]
    raise Conflict(
        f"workflow {workflow.id} has no result to compare: it is {workflow.status} ({workflow.why})"
    )


def _compared(first: bytes, second: bytes, seed: int) -> Beside:
    return beside(json.loads(first), json.loads(second), seed=seed)
