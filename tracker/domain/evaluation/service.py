"""Use cases of evaluations, which clients call experiments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tracker.domain.evaluation.evaluation import Evaluation
from tracker.domain.evaluation.tasks import TaskDefinition
from tracker.domain.evaluation.workflows.service import WorkflowDeletion, WorkflowDetail
from tracker.domain.evaluation.workflows.workflow import Workflow
from tracker.domain.identity.actor import Actor
from tracker.domain.ids import DatasetId, EvaluationId, ProjectId

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
    """Everything people do with evaluations."""

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
        raise NotImplementedError

    async def page(
        self, actor: Actor, *, project_id: ProjectId | None = None, skip: int = 0, limit: int = 100
    ) -> EvaluationPage:
        """Those that `actor` may see, newest first.

        Raises:
            NotFound: there is no such project that `actor` may see.
        """
        raise NotImplementedError

    async def get(self, actor: Actor, evaluation_id: EvaluationId) -> EvaluationDetail:
        """One evaluation with its workflows and what they left.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        raise NotImplementedError

    async def delete(self, actor: Actor, evaluation_id: EvaluationId) -> WorkflowDeletion:
        """Removes it with its workflows, as :meth:`WorkflowService.delete` does by force; its dataset stays.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not delete it.
            Unavailable: the runner could not be told to end a job; they are asked to stop all the same.
        """
        raise NotImplementedError
