"""Branches in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from tracker.adapters.memory.state import Current
from tracker.domain.errors import AlreadyExists, NotFound
from tracker.domain.experiments.branch import Branch
from tracker.domain.ids import BranchId, ExperimentId, ProjectId

__all__ = ["MemoryBranchRepository"]


class MemoryBranchRepository:
    """Keeps the port :class:`tracker.ports.branches.BranchRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def add(self, branch: Branch) -> None:
        """Keeps a new one."""
        state = self._current.state
        if branch.id in state.branches:
            raise AlreadyExists(f"branch {branch.id} is there already")
        if branch.experiment_id not in state.experiments:
            raise NotFound(f"branch {branch.id}: what it belongs to was not found")
        state.branches[branch.id] = branch.evolve(points=0)

    async def save(self, branch: Branch) -> None:
        """Keeps a changed one."""
        state = self._current.state
        if branch.id not in state.branches:
            raise NotFound.of("branch", branch.id)
        present = state.branches[branch.id]
        state.branches[branch.id] = present.evolve(is_made=branch.is_made, values=branch.values)

    async def of_experiment(self, experiment_id: ExperimentId) -> tuple[Branch, ...]:
        """An experiment's, oldest first."""
        found = (
            each for each in self._current.state.branches.values() if each.experiment_id == experiment_id
        )
        return tuple(sorted(found, key=lambda each: (each.made_at, each.id)))

    async def of_project(self, project_id: ProjectId) -> frozenset[BranchId]:
        """The ids of a project's."""
        branches = self._current.state.branches.values()
        return frozenset(each.id for each in branches if each.project_id == project_id)

    async def get_many(self, ids: Collection[UUID]) -> Mapping[UUID, Branch]:
        """Those that exist."""
        found = self._current.state.branches
        return {key: found[BranchId(key)] for key in ids if key in found}
