"""Projects in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.hypothesis_tables import hypotheses
from tracker.adapters.sql.metric_rows import definition_from
from tracker.adapters.sql.session import Lookup, Row, Session
from tracker.adapters.sql.summaries import SqlSummaryRepository
from tracker.adapters.sql.tables import experiments, projects
from tracker.domain.errors import NotFound, StaleVersion
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ProjectId, UserId
from tracker.domain.projects.project import (
    Project,
    ProjectCounts,
    ProjectSettings,
)

__all__ = ["SqlProjectRepository"]

_HYPOTHESES = "hypotheses"  # in the place of a status


class SqlProjectRepository:
    """Keeps the port :class:`tracker.ports.projects.ProjectRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._summaries = SqlSummaryRepository(session)

    async def get(self, project_id: ProjectId, *, asker: UserId | None = None) -> Project:
        """The project."""
        found = await self._session.find(_BY_ID, project_id, asker)
        if found is None:
            raise NotFound.of("project", project_id)
        return found

    async def list(self, *, name: str | None = None) -> tuple[Project, ...]:
        """All of them, or those of one name, oldest first."""
        statement = sa.select(projects).order_by(projects.c.created_at, projects.c.id)
        if name is not None:
            statement = statement.where(projects.c.name == name)
        return tuple(map(_project, await self._session.rows(statement)))

    async def counts(self, project_ids: Collection[ProjectId]) -> Mapping[ProjectId, ProjectCounts]:
        """How much each holds."""
        statement = (
            sa.select(experiments.c.project_id, experiments.c.status, sa.func.count().label("n"))
            .where(experiments.c.project_id.in_(project_ids))
            .group_by(experiments.c.project_id, experiments.c.status)
        )
        claims = (
            sa.select(hypotheses.c.project_id, sa.literal(_HYPOTHESES), sa.func.count())
            .where(hypotheses.c.project_id.in_(project_ids))
            .group_by(hypotheses.c.project_id)
        )
        rows = await self._session.rows(statement.union_all(claims))
        tally = {(row.project_id, row.status): row.n for row in rows}
        return {
            project_id: ProjectCounts(
                experiments=sum(tally.get((project_id, status), 0) for status in Status),
                running=tally.get((project_id, Status.RUNNING), 0),
                completed=tally.get((project_id, Status.COMPLETE), 0),
                failed=tally.get((project_id, Status.FAILED), 0),
                hypotheses=tally.get((project_id, _HYPOTHESES), 0),
            )
            for project_id in project_ids
        }

    async def add(self, project: Project) -> None:
        """Keeps a new one."""
        with inserting("project", project.id):
            await self._session.run(sa.insert(projects).values(_columns(project)))

    async def save(self, project: Project) -> Project:
        """Keeps a changed one."""
        saved = project.evolve(version=project.version + 1)
        before = await self._session.rows(sa.select(projects.c.metrics).where(projects.c.id == project.id))
        statement = (
            sa.update(projects)
            .where(projects.c.id == project.id, projects.c.version == project.version)
            .values(_columns(saved))
        )
        with inserting("project", project.id):
            changed = await self._session.run(statement)
        if not changed:
            await self.get(project.id)
            raise StaleVersion.of("project", project.id)
        changed_metrics = {definition_from(each) for each in before[0].metrics} ^ set(project.metrics)
        await self._summaries.judge_anew(project.id, {(each.name, each.label) for each in changed_metrics})
        return saved

    async def delete(self, project_id: ProjectId) -> None:
        """Removes it with all it holds."""
        if not await self._session.run(sa.delete(projects).where(projects.c.id == project_id)):
            raise NotFound.of("project", project_id)


def _columns(project: Project) -> dict[str, Any]:
    return {
        **project.__dict__,
        "metrics": [definition.model_dump(mode="json") for definition in project.metrics],
        "settings": project.settings.model_dump(mode="json"),
    }


def _project(row: Row) -> Project:
    return Project(
        **{
            **row._mapping,
            "metrics": tuple(definition_from(item) for item in row.metrics),
            "settings": _settings(row.settings),
        }
    )


def _settings(stored: dict[str, Any]) -> ProjectSettings:
    fields = dict(stored)
    if "naming_pattern" in fields:  # as kept while a project had one pattern, or an empty one for none
        pattern = fields.pop("naming_pattern")
        fields.setdefault("naming_patterns", [pattern] if pattern else [])
    return ProjectSettings(**{name: tuple(values) for name, values in fields.items()})


_BY_ID = Lookup.of_one(sa.select(projects), projects.c.id, _project)
