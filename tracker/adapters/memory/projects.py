"""Projects in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from tracker.adapters.memory.artifacts import forget_artifacts
from tracker.adapters.memory.evaluation.forgetting import forget_of_project
from tracker.adapters.memory.hypotheses import forget_links, forget_project
from tracker.adapters.memory.state import Current
from tracker.domain.errors import AlreadyExists, NotFound, StaleVersion
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ProjectId, UserId
from tracker.domain.projects.project import Project, ProjectCounts

__all__ = ["MemoryProjectRepository"]


class MemoryProjectRepository:
    """Keeps the port :class:`tracker.ports.projects.ProjectRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def get(self, project_id: ProjectId, *, asker: UserId | None = None) -> Project:
        """The project."""
        try:
            return self._current.state.projects[project_id]
        except KeyError as error:
            raise NotFound.of("project", project_id) from error

    async def list(self, *, name: str | None = None) -> tuple[Project, ...]:
        """All of them, or those of one name, oldest first."""
        found = (p for p in self._current.state.projects.values() if name is None or p.name == name)
        return tuple(sorted(found, key=lambda project: (project.created_at, project.id)))

    async def counts(self, project_ids: Collection[ProjectId]) -> Mapping[ProjectId, ProjectCounts]:
        """How much each holds."""
        tally = Counter((e.project_id, e.status) for e in self._current.state.experiments.values())
        claims = Counter(each.project_id for each in self._current.state.hypotheses.values())
        return {
            project_id: ProjectCounts(
                experiments=sum(tally[project_id, status] for status in Status),
                running=tally[project_id, Status.RUNNING],
                completed=tally[project_id, Status.COMPLETE],
                failed=tally[project_id, Status.FAILED],
                hypotheses=claims[project_id],
            )
            for project_id in project_ids
        }

    async def add(self, project: Project) -> None:
        """Keeps a new one."""
        if project.id in self._current.state.projects:
            raise AlreadyExists(f"project {project.id} is there already")
        self._require_owners(project)
        self._current.state.projects[project.id] = project

    async def save(self, project: Project) -> Project:
        """Keeps a changed one."""
        present = await self.get(project.id)
        if present.version != project.version:
            raise StaleVersion.of("project", project.id)
        self._require_owners(project)
        saved = project.evolve(version=project.version + 1)
        self._current.state.projects[project.id] = saved
        return saved

    async def delete(self, project_id: ProjectId) -> None:
        """Removes it with all it holds."""
        await self.get(project_id)
        state = self._current.state
        del state.projects[project_id]
        gone = {e.id for e in state.experiments.values() if e.project_id == project_id}
        state.experiments = {key: e for key, e in state.experiments.items() if key not in gone}
        state.branches = {key: each for key, each in state.branches.items() if each.experiment_id not in gone}
        state.metrics = {key: m for key, m in state.metrics.items() if m.experiment_id not in gone}
        state.series = {key: mark for key, mark in state.series.items() if key[0] not in gone}
        queries = {key for key, query in state.saved_queries.items() if query.project_id == project_id}
        state.saved_queries = {key: q for key, q in state.saved_queries.items() if key not in queries}
        forget_artifacts(state, gone)
        forget_project(state, project_id)
        forget_of_project(state, project_id)
        forget_links(state, experiments=gone, queries=queries)
        state.members = {key: member for key, member in state.members.items() if key[0] != project_id}
        state.grants = {key: grant for key, grant in state.grants.items() if grant.project_id != project_id}

    def _require_owners(self, project: Project) -> None:
        state = self._current.state
        if project.owner_id not in state.users or (project.team_id and project.team_id not in state.teams):
            raise NotFound(f"project {project.id}: what it belongs to was not found")
