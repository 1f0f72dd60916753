"""Where evaluations and their workflows are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from tracker.domain.evaluation.evaluation import Evaluation
from tracker.domain.evaluation.workflows.workflow import Workflow
from tracker.domain.ids import EvaluationId, ProjectId, WorkflowId

__all__ = ["EvaluationPage", "EvaluationRepository", "WorkflowRepository"]


class EvaluationPage(NamedTuple):
    """Some of the evaluations that were asked for, and how many there are in all."""

    total: int
    items: tuple[Evaluation, ...]


class EvaluationRepository(Protocol):
    """Evaluations. Changes show to others once the unit of work is committed."""

    async def add(self, evaluation: Evaluation) -> None:
        """Keeps a new one.

        Raises:
            AlreadyExists: the id is taken.
            NotFound: its project does not exist.
        """
        ...

    async def get(self, evaluation_id: EvaluationId) -> Evaluation:
        """The evaluation.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def page(
        self, project_ids: Collection[ProjectId] | None, *, skip: int = 0, limit: int = 100
    ) -> EvaluationPage:
        """Those of these projects (``None`` = all), newest first (ties by id, downwards)."""
        ...

    async def delete(self, evaluation_id: EvaluationId) -> None:
        """Removes it with its workflows; their jobs are deleted by the caller.

        Raises:
            NotFound: there is none with this id.
        """
        ...


class WorkflowRepository(Protocol):
    """Workflows. Changes show to others once the unit of work is committed.

    When the experiment is deleted as which one is recorded, the workflow forgets it.
    """

    async def add(self, workflow: Workflow) -> None:
        """Keeps a new one.

        Raises:
            AlreadyExists: the id is taken.
            NotFound: its evaluation does not exist, or the experiment as which it is recorded.
        """
        ...

    async def get(self, workflow_id: WorkflowId) -> Workflow:
        """The workflow.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def save(self, workflow: Workflow) -> Workflow:
        """Keeps the changes of one that was read before; what it is then, with its new version.

        Raises:
            NotFound: it was deleted.
            Conflict: somebody else changed it meanwhile.
        """
        ...

    async def of_evaluations(
        self, evaluation_ids: Collection[EvaluationId]
    ) -> Mapping[EvaluationId, Sequence[Workflow]]:
        """Those of each of these evaluations that has any, oldest first (ties by id)."""
        ...

    async def to_look_after(self) -> tuple[WorkflowId, ...]:
        """Those that have not ended, oldest first. Found by an index, however many have ended."""
        ...

    async def delete(self, workflow_id: WorkflowId) -> None:
        """Removes it; its jobs are deleted by the caller.

        Raises:
            NotFound: there is none with this id.
        """
        ...
