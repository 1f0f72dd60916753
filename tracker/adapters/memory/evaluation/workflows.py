"""Evaluations and their workflows in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from tracker.adapters.memory.evaluation.forgetting import (
    forget_evaluations,
    require_project,
    require_user,
)
from tracker.adapters.memory.state import Current
from tracker.domain.errors import AlreadyExists, NotFound, StaleVersion
from tracker.domain.evaluation.evaluation import Evaluation
from tracker.domain.evaluation.workflows.workflow import Workflow
from tracker.domain.ids import EvaluationId, ProjectId, WorkflowId
from tracker.ports.evaluation.workflows import EvaluationPage

__all__ = ["MemoryEvaluationRepository", "MemoryWorkflowRepository"]


class MemoryEvaluationRepository:
    """Keeps the port :class:`tracker.ports.evaluation.workflows.EvaluationRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def add(self, evaluation: Evaluation) -> None:
        """Keeps a new one."""
        state = self._current.state
        if evaluation.id in state.evaluations:
            raise AlreadyExists(f"evaluation {evaluation.id} is there already")
        require_project(state, "evaluation", evaluation.id, evaluation.project_id)
        require_user(state, "evaluation", evaluation.id, evaluation.created_by)
        state.evaluations[evaluation.id] = evaluation

    async def get(self, evaluation_id: EvaluationId) -> Evaluation:
        """The evaluation."""
        try:
            return self._current.state.evaluations[evaluation_id]
        except KeyError as error:
            raise NotFound.of("evaluation", evaluation_id) from error

    async def page(
        self, project_ids: Collection[ProjectId] | None, *, skip: int = 0, limit: int = 100
    ) -> EvaluationPage:
        """Some, newest first."""
        every = self._current.state.evaluations.values()
        found = [each for each in every if project_ids is None or each.project_id in project_ids]
        found.sort(key=lambda each: (each.created_at, each.id), reverse=True)
        return EvaluationPage(len(found), tuple(found[skip : skip + limit]))

    async def delete(self, evaluation_id: EvaluationId) -> None:
        """Removes it with its workflows."""
        await self.get(evaluation_id)
        forget_evaluations(self._current.state, [evaluation_id])


class MemoryWorkflowRepository:
    """Keeps the port :class:`tracker.ports.evaluation.workflows.WorkflowRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def add(self, workflow: Workflow) -> None:
        """Keeps a new one."""
        if workflow.id in self._current.state.workflows:
            raise AlreadyExists(f"workflow {workflow.id} is there already")
        self._require(workflow)
        self._current.state.workflows[workflow.id] = workflow

    async def get(self, workflow_id: WorkflowId) -> Workflow:
        """The workflow."""
        try:
            return self._current.state.workflows[workflow_id]
        except KeyError as error:
            raise NotFound.of("workflow", workflow_id) from error

    async def save(self, workflow: Workflow) -> Workflow:
        """Keeps a changed one."""
        present = await self.get(workflow.id)
        if present.version != workflow.version:
            raise StaleVersion.of("workflow", workflow.id)
        self._require(workflow)
        saved = workflow.evolve(version=workflow.version + 1)
        self._current.state.workflows[workflow.id] = saved
        return saved

    async def of_evaluations(
        self, evaluation_ids: Collection[EvaluationId]
    ) -> Mapping[EvaluationId, Sequence[Workflow]]:
        """Those of each, oldest first."""
        found: dict[EvaluationId, list[Workflow]] = {}
        for flow in sorted(self._current.state.workflows.values(), key=lambda w: (w.created_at, w.id)):
            if flow.evaluation_id in evaluation_ids:
                found.setdefault(flow.evaluation_id, []).append(flow)
        return found

    async def to_look_after(self) -> tuple[WorkflowId, ...]:
        """Those that go on, oldest first."""
        found = [flow for flow in self._current.state.workflows.values() if not flow.status.has_ended]
        return tuple(flow.id for flow in sorted(found, key=lambda flow: (flow.created_at, flow.id)))

    async def delete(self, workflow_id: WorkflowId) -> None:
        """Removes it."""
        await self.get(workflow_id)
        del self._current.state.workflows[workflow_id]

    def _require(self, workflow: Workflow) -> None:
        state = self._current.state
        require_project(state, "workflow", workflow.id, workflow.project_id)
        require_user(state, "workflow", workflow.id, workflow.created_by)
        tracked = workflow.experiment_id
        if workflow.evaluation_id not in state.evaluations or not (
            tracked is None or tracked in state.experiments
        ):
            raise NotFound(f"workflow {workflow.id}: what it belongs to was not found")
