"""Where projects are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from tracker.domain.ids import ProjectId, UserId
from tracker.domain.projects.project import Project, ProjectCounts

__all__ = ["ProjectRepository"]


class ProjectRepository(Protocol):
    """Projects. Changes show to others once the unit of work is committed."""

    async def get(self, project_id: ProjectId, *, asker: UserId | None = None) -> Project:
        """The project; in a writing unit nobody else can change it until the unit ends.

        Args:
            project_id: which.
            asker: in whose name. What they were given lately may be remembered for them, but for nobody
                else: else the time would tell them of what they may not see.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def list(self, *, name: str | None = None) -> tuple[Project, ...]:
        """All projects, or those with exactly this name, oldest first (ties by id)."""
        ...

    async def counts(self, project_ids: Collection[ProjectId]) -> Mapping[ProjectId, ProjectCounts]:
        """How much each of them holds; a project without experiments counts zero of all."""
        ...

    async def add(self, project: Project) -> None:
        """Keeps a new project.

        Raises:
            AlreadyExists: the id is taken.
            NotFound: its owner or team does not exist.
        """
        ...

    async def save(self, project: Project) -> Project:
        """Keeps a changed project, and gives it back with its version counted up.

        Raises:
            NotFound: it was deleted, or its owner or team does not exist.
            StaleVersion: it was saved by somebody else since it was loaded.
        """
        ...

    async def delete(self, project_id: ProjectId) -> None:
        """Removes the project with its experiments and their metrics.

        Raises:
            NotFound: there is none with this id.
        """
        ...
