"""Use cases of evaluations, which clients call experiments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tracker.domain.evaluation.datasets.service import visible_dataset
from tracker.domain.evaluation.evaluation import Evaluation
from tracker.domain.evaluation.homes.service import require_in, seen_projects
from tracker.domain.evaluation.tasks import TaskDefinition
from tracker.domain.evaluation.workflows.erasing.service import WorkflowErasing
from tracker.domain.evaluation.workflows.service import WorkflowDeletion, WorkflowDetail, WorkflowService
from tracker.domain.evaluation.workflows.workflow import Workflow
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action
from tracker.domain.ids import DatasetId, EvaluationId, ProjectId
from tracker.domain.projects.service import visible_project
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork

__all__ = ["EvaluationDetail", "EvaluationPage", "EvaluationService"]


class EvaluationDetail(NamedTuple):
    """An evaluation with its workflows.

    Attributes:
        evaluation: which.
        workflows: oldest first; in a page as they are, of one evaluation with all that is known of them.
    """

    evaluation: Evaluation
    workflows: tuple[Workflow | WorkflowDetail, ...]


class EvaluationPage(NamedTuple):
    """Some of the evaluations that were asked for, and how many there are in all."""

    total: int
    items: tuple[EvaluationDetail, ...]


class EvaluationService:
    """Everything people do with evaluations.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ids: names new things.
        workflows: tells of workflows.
        erasing: ends and removes them.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        clock: Clock,
        ids: IdGenerator,
        *,
        workflows: WorkflowService,
        erasing: WorkflowErasing,
    ) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids
        self._workflows = workflows
        self._erasing = erasing

    async def create(
        self,
        actor: Actor,
        *,
        name: str,
        dataset_id: DatasetId,
        description: str = "",
        max_samples: int = -1,
        task_definition: TaskDefinition | Mapping[str, Any] | None = None,
        project_id: ProjectId | None = None,
    ) -> Evaluation:
        """A new evaluation.

        Args:
            actor: who adds it.
            name: what it is called.
            dataset_id: on what models are compared.
            description: in words.
            max_samples: rows to take, the first ones; 0 or less means all.
            task_definition: as clients write it; ``None`` = summarization.
            project_id: where it belongs; ``None`` = to the project of its dataset.

        Raises:
            NotFound: there is no such dataset, or project, that `actor` may see.
            Forbidden: they may not add to the project.
            Invalid: a field breaks a rule.
        """
        now = self._clock.now()
        task = task_definition if task_definition is not None else TaskDefinition()
        if not isinstance(task, TaskDefinition):
            task = TaskDefinition.parsed(task)
        async with self._units.writing() as unit:
            dataset = await visible_dataset(unit, actor, dataset_id, Action.EXPERIMENTS_CREATE)
            place = project_id or dataset.project_id
            evaluation = Evaluation(
                id=EvaluationId(self._ids.new()),
                project_id=place,
                name=name,
                description=description,
                dataset_id=dataset_id,
                max_samples=max_samples,
                task=task,
                created_at=now,
                updated_at=now,
                created_by=actor.user_id,
            )
            await visible_project(unit, actor, place, Action.EXPERIMENTS_CREATE)
            await unit.evaluations.add(evaluation)
            await unit.commit()
        return evaluation

    async def page(
        self, actor: Actor, *, project_id: ProjectId | None = None, skip: int = 0, limit: int = 100
    ) -> EvaluationPage:
        """Those that `actor` may see, newest first.

        Raises:
            NotFound: there is no such project that `actor` may see.
        """
        async with self._units.reading() as unit:
            places = await seen_projects(unit, actor, project_id)
            total, items = await unit.evaluations.page(places, skip=skip, limit=limit)
            found = await unit.workflows.of_evaluations([each.id for each in items])
        return EvaluationPage(
            total, tuple(EvaluationDetail(each, tuple(found.get(each.id, ()))) for each in items)
        )

    async def get(self, actor: Actor, evaluation_id: EvaluationId) -> EvaluationDetail:
        """One evaluation with its workflows and what they left.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        async with self._units.reading() as unit:
            evaluation = await _visible(unit, actor, evaluation_id, Action.EXPERIMENTS_VIEW)
            found = (await unit.workflows.of_evaluations([evaluation_id])).get(evaluation_id, ())
        return EvaluationDetail(evaluation, tuple([await self._workflows.detail(each) for each in found]))

    async def delete(self, actor: Actor, evaluation_id: EvaluationId) -> WorkflowDeletion:
        """Removes it with its workflows, as :meth:`WorkflowService.delete` does by force; its dataset stays.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not delete it.
            Unavailable: the runner could not be told to end a job; they are asked to stop all the same.
        """
        async with self._units.reading() as unit:
            await _visible(unit, actor, evaluation_id, Action.EXPERIMENTS_DELETE)
            present = (await unit.workflows.of_evaluations([evaluation_id])).get(evaluation_id, ())
        await self._erasing.end([each.id for each in present])
        async with self._units.writing() as unit:
            await _visible(unit, actor, evaluation_id, Action.EXPERIMENTS_DELETE)
            present = (await unit.workflows.of_evaluations([evaluation_id])).get(evaluation_id, ())
            deletion = await self._erasing.erase(unit, actor, [each.id for each in present])
            await unit.evaluations.delete(evaluation_id)
            await unit.commit()
        await self._erasing.erased(deletion)
        return deletion


async def _visible(
    unit: ReadingUnit, actor: Actor, evaluation_id: EvaluationId, action: Action
) -> Evaluation:
    evaluation = await unit.evaluations.get(evaluation_id)
    await require_in(unit, actor, evaluation.project_id, action, kind="evaluation", key=evaluation_id)
    return evaluation
