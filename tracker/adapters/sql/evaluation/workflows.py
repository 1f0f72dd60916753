"""Evaluations and their workflows in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.adapters.sql.evaluation.packing import events_of, instant_of, packed_events, since_1970
from tracker.adapters.sql.evaluation.paging import page_of
from tracker.adapters.sql.evaluation_tables import WORKFLOW_GOES_ON, evaluations, workflows
from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.parting import in_parts
from tracker.adapters.sql.session import Lookup, Row, Session
from tracker.domain.errors import NotFound, StaleVersion
from tracker.domain.evaluation.evaluation import Evaluation
from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.evaluation.tasks import TaskDefinition
from tracker.domain.evaluation.workflows.workflow import Step, Workflow, WorkflowStatus
from tracker.domain.ids import EvaluationId, JobId, ProjectId, WorkflowId
from tracker.domain.json_tree import thaw
from tracker.ports.evaluation.workflows import EvaluationPage

__all__ = ["SqlEvaluationRepository", "SqlWorkflowRepository"]


class SqlEvaluationRepository:
    """Keeps the port :class:`tracker.ports.evaluation.workflows.EvaluationRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, evaluation: Evaluation) -> None:
        """Keeps a new one."""
        columns = {**evaluation.__dict__, "task": evaluation.task.model_dump(mode="json")}
        with inserting("evaluation", evaluation.id):
            await self._session.run(sa.insert(evaluations).values(columns))

    async def get(self, evaluation_id: EvaluationId) -> Evaluation:
        """The evaluation."""
        found = await self._session.find(_EVALUATION, evaluation_id)
        if found is None:
            raise NotFound.of("evaluation", evaluation_id)
        return found

    async def page(
        self, project_ids: Collection[ProjectId] | None, *, skip: int = 0, limit: int = 100
    ) -> EvaluationPage:
        """Some, newest first."""
        which = [] if project_ids is None else [evaluations.c.project_id.in_(project_ids)]
        total, rows = await page_of(self._session, list(evaluations.c), which, skip=skip, limit=limit)
        return EvaluationPage(total, tuple(map(_evaluation, rows)))

    async def delete(self, evaluation_id: EvaluationId) -> None:
        """Removes it; the database removes its workflows."""
        if not await self._session.run(sa.delete(evaluations).where(evaluations.c.id == evaluation_id)):
            raise NotFound.of("evaluation", evaluation_id)


class SqlWorkflowRepository:
    """Keeps the port :class:`tracker.ports.evaluation.workflows.WorkflowRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, workflow: Workflow) -> None:
        """Keeps a new one."""
        with inserting("workflow", workflow.id):
            await self._session.run(sa.insert(workflows).values(_columns(workflow)))

    async def get(self, workflow_id: WorkflowId) -> Workflow:
        """The workflow."""
        found = await self._session.find(_WORKFLOW, workflow_id)
        if found is None:
            raise NotFound.of("workflow", workflow_id)
        return found

    async def save(self, workflow: Workflow) -> Workflow:
        """Keeps a changed one."""
        saved = workflow.evolve(version=workflow.version + 1)
        statement = sa.update(workflows).where(
            workflows.c.id == workflow.id, workflows.c.version == workflow.version
        )
        with inserting("workflow", workflow.id):
            changed = await self._session.run(statement.values(_columns(saved)))
        if not changed:
            await self.get(workflow.id)
            raise StaleVersion.of("workflow", workflow.id)
        return saved

    async def of_evaluations(
        self, evaluation_ids: Collection[EvaluationId]
    ) -> Mapping[EvaluationId, Sequence[Workflow]]:
        """Those of each, oldest first."""
        found: dict[EvaluationId, list[Workflow]] = {}
        for some in in_parts(evaluation_ids):
            statement = (
                sa.select(workflows)
                .where(workflows.c.evaluation_id.in_(some))
                .order_by(workflows.c.created_at, workflows.c.id)
            )
            for row in await self._session.rows(statement):
                found.setdefault(row.evaluation_id, []).append(_workflow(row))
        return found

    async def to_look_after(self) -> tuple[WorkflowId, ...]:
        """Those that go on, oldest first."""
        by_age = (workflows.c.created_at, workflows.c.id)
        statement = sa.select(workflows.c.id).where(WORKFLOW_GOES_ON).order_by(*by_age)
        return tuple(row.id for row in await self._session.rows(statement))

    async def delete(self, workflow_id: WorkflowId) -> None:
        """Removes it."""
        if not await self._session.run(sa.delete(workflows).where(workflows.c.id == workflow_id)):
            raise NotFound.of("workflow", workflow_id)


def _evaluation(row: Row) -> Evaluation:
    values = {name: value for name, value in row._mapping.items() if name in evaluations.c}
    return Evaluation(**{**values, "task": TaskDefinition.parsed(row.task)})


def _columns(workflow: Workflow) -> dict[str, Any]:
    return {
        **workflow.__dict__,
        "config": thaw(workflow.config),
        "steps": [
            [step.kind.value, step.job_id.hex, None if step.begun_at is None else since_1970(step.begun_at)]
            for step in workflow.steps
        ],
        "status": workflow.status.value,
        "events": packed_events(workflow.events),
    }


def _workflow(row: Row) -> Workflow:
    return Workflow(
        **{
            **row._mapping,
            "steps": tuple(_step(*each) for each in row.steps),
            "status": WorkflowStatus(row.status),
            "events": events_of(row.events),
        }
    )


def _step(kind: str, job_id: str, begun: int | None) -> Step:
    begun_at = None if begun is None else instant_of(begun)
    return Step(kind=JobKind(kind), job_id=JobId(UUID(job_id)), begun_at=begun_at)


_EVALUATION = Lookup.of_one(sa.select(evaluations), evaluations.c.id, _evaluation)
_WORKFLOW = Lookup.of_one(sa.select(workflows), workflows.c.id, _workflow)
