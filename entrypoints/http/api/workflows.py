"""Evaluations, which clients call experiments, and their workflows."""

from __future__ import annotations

from typing import Any

from tracker.domain.evaluation.comparisons.service import WorkflowComparisonService
from tracker.domain.evaluation.service import EvaluationDetail, EvaluationService
from tracker.domain.evaluation.workflows.service import WorkflowDetail, WorkflowService
from tracker.domain.ids import DatasetId, EvaluationId, ProjectId, WorkflowId

from ..exchange import Call
from ..schemas.answers import NoQuery
from ..schemas.evaluation import ListQuery, present
from ..schemas.jobs import JobLogsOut
from ..schemas.workflows import (
    EvaluationCreate,
    EvaluationOut,
    EvaluationPageOut,
    ForceQuery,
    WorkflowComparisonOut,
    WorkflowComparisonQuery,
    WorkflowCreate,
    WorkflowDetailOut,
    WorkflowOut,
    detail_out,
    evaluation_out,
    tested_out,
    untested_out,
    workflow_out,
)
from .addresses import Addresses
from .datasets import project_of
from .kept import tell_kept

__all__ = ["Evaluations", "Workflows"]


class Evaluations:
    """``/api/v1/experiments``."""

    def __init__(
        self, evaluations: EvaluationService, workflows: WorkflowService, addresses: Addresses
    ) -> None:
        self._evaluations = evaluations
        self._workflows = workflows
        self._addresses = addresses

    async def create(self, call: Call[EvaluationCreate, NoQuery]) -> EvaluationOut:
        """A new one."""
        body = call.body
        made = await self._evaluations.create(
            call.actor,
            name=body.name,
            dataset_id=DatasetId(body.dataset),
            description=body.description,
            max_samples=body.max_samples,
            task_definition=None if body.task_definition is None else present(body.task_definition),
            project_id=None if body.project_id is None else ProjectId(body.project_id),
        )
        call.headers["Location"] = f"{self._addresses.api_path}/experiments/{made.id}"
        return evaluation_out(made, [])

    async def list(self, call: Call[None, ListQuery]) -> EvaluationPageOut:
        """Some of them."""
        page = await self._evaluations.page(
            call.actor, project_id=project_of(call.query), skip=call.query.skip, limit=call.query.limit
        )
        return {"total": page.total, "items": [self._out(call, each) for each in page.items]}

    async def show(self, call: Call[None, NoQuery]) -> EvaluationOut:
        """One."""
        return self._out(call, await self._evaluations.get(call.actor, _evaluation(call)))

    async def delete(self, call: Call[None, NoQuery]) -> None:
        """Removes one with its workflows."""
        tell_kept(call, (await self._evaluations.delete(call.actor, _evaluation(call))).kept)

    def _out(self, call: Call[Any, Any], detail: EvaluationDetail) -> EvaluationOut:
        found: list[WorkflowDetailOut | WorkflowOut] = []
        for each in detail.workflows:
            if isinstance(each, WorkflowDetail):
                found.append(_detail(call, each, self._addresses))
            else:
                found.append(workflow_out(each, self._workflows.system_prompt(each)))
        return evaluation_out(detail.evaluation, found)


class Workflows:
    """``/api/v1/workflows``."""

    def __init__(
        self, workflows: WorkflowService, comparisons: WorkflowComparisonService, addresses: Addresses
    ) -> None:
        self._workflows = workflows
        self._comparisons = comparisons
        self._addresses = addresses

    async def create(self, call: Call[WorkflowCreate, NoQuery]) -> WorkflowOut:
        """A new one."""
        evaluation_id = EvaluationId(call.body.experiment_id)
        made = await self._workflows.create(call.actor, evaluation_id=evaluation_id, **call.body.fields())
        call.headers["Location"] = f"{self._addresses.api_path}/workflows/{made.id}"
        return workflow_out(made, self._workflows.system_prompt(made))

    async def compare(self, call: Call[None, WorkflowComparisonQuery]) -> WorkflowComparisonOut:
        """Two beside each other."""
        query = call.query
        found = await self._comparisons.compare(
            call.actor, WorkflowId(query.first), WorkflowId(query.second), seed=query.seed
        )
        return {
            "first": found.first.id,
            "second": found.second.id,
            "rows": found.beside.rows,
            "metrics": [tested_out(each) for each in found.beside.metrics],
            "values": [untested_out(each) for each in found.beside.values],
        }

    async def show(self, call: Call[None, NoQuery]) -> WorkflowDetailOut:
        """One."""
        return _detail(call, await self._workflows.get(call.actor, _workflow(call)), self._addresses)

    async def logs(self, call: Call[None, NoQuery]) -> JobLogsOut:
        """What happened to one."""
        return {"logs": await self._workflows.logs(call.actor, _workflow(call))}

    async def result_download(self, call: Call[None, NoQuery]) -> str:
        """Where the compiled result of one is."""
        link = await self._workflows.result_link(call.actor, _workflow(call))
        return self._addresses.of_file(call.root, link)

    async def delete(self, call: Call[None, ForceQuery]) -> None:
        """Removes one."""
        deletion = await self._workflows.delete(call.actor, _workflow(call), force=call.query.force)
        tell_kept(call, deletion.kept)


def _detail(call: Call[Any, Any], detail: WorkflowDetail, addresses: Addresses) -> WorkflowDetailOut:
    return detail_out(detail, lambda link: addresses.of_file(call.root, link), addresses.of_api(call.root))


def _evaluation(call: Call[Any, Any]) -> EvaluationId:
    return EvaluationId(call.path["evaluation_id"])


def _workflow(call: Call[Any, Any]) -> WorkflowId:
    return WorkflowId(call.path["workflow_id"])
