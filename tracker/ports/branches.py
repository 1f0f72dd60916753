"""Where it is kept what resumed runs left behind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol
from uuid import UUID

from tracker.domain.experiments.branch import Branch
from tracker.domain.ids import BranchId, ExperimentId, ProjectId

__all__ = ["BranchRepository"]


class BranchRepository(Protocol):
    """Branches of experiments, without their points. They vanish with their experiment. Changes show to
    others once the unit of work is committed."""

    async def add(self, branch: Branch) -> None:
        """Keeps a new branch.

        Raises:
            AlreadyExists: the id is taken.
            NotFound: its experiment does not exist.
        """
        ...

    async def save(self, branch: Branch) -> None:
        """Keeps whether it is made, and its values.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def of_experiment(self, experiment_id: ExperimentId) -> tuple[Branch, ...]:
        """An experiment's, made or not, by (made_at, id)."""
        ...

    async def of_project(self, project_id: ProjectId) -> frozenset[BranchId]:
        """The ids of all branches of a project's experiments."""
        ...

    async def get_many(self, ids: Collection[UUID]) -> Mapping[UUID, Branch]:
        """Those of these ids that are branches."""
        ...
