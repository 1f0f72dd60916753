"""Use cases of projects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from tracker.domain.errors import Forbidden, Invalid, NotFound
from tracker.domain.frozen import Frozen
from tracker.domain.identity.accounts.user import User
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.audit.service import record
from tracker.domain.identity.policy import (
    Action,
    ProjectScope,
    TeamScope,
    may,
    require,
    require_own,
    role_in_team,
    role_on_project,
)
from tracker.domain.identity.roles import Role
from tracker.domain.identity.teams.team import Team
from tracker.domain.ids import ProjectId, PurgeId, TeamId
from tracker.domain.projects.project import MetricDefinition, Project, ProjectCounts, ProjectSettings
from tracker.domain.projects.purge import Purge
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork, WritingUnit

__all__ = ["ProjectDetail", "ProjectService", "visible_project"]

_EDITABLE = frozenset({"name", "description", "metrics", "settings", "team_id"})


class ProjectDetail(Frozen):
    """A project with what lists show beside it."""

    project: Project
    owner: User
    team: Team | None
    counts: ProjectCounts


async def visible_project(unit: ReadingUnit, actor: Actor, project_id: ProjectId, action: Action) -> Project:
    """The project, if `actor` may do `action` on it.

    Raises:
        NotFound: there is none, or the actor may not see it.
        Forbidden: they may see it, but not do this.
    """
    project = await unit.projects.get(project_id, asker=actor.user_id)
    require(actor, action, project.scope, kind="project", key=project_id)
    return project


class ProjectService:
    """Everything people do with projects.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ids: names new things.
        purge: carries out what deletions left to do; called after each.
    """

    def __init__(
        self, units: UnitsOfWork, clock: Clock, ids: IdGenerator, purge: Callable[[], Awaitable[object]]
    ) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids
        self._purge = purge

    async def list(self, actor: Actor, *, name: str | None = None) -> tuple[Project, ...]:
        """The projects that `actor` may see, oldest first; with `name`, those called exactly so."""
        async with self._units.reading() as unit:
            projects = await unit.projects.list(name=name)
        return tuple(project for project in projects if may(actor, Action.PROJECT_VIEW, project.scope))

    async def get(self, actor: Actor, project_id: ProjectId) -> Project:
        """One project.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        async with self._units.reading() as unit:
            return await visible_project(unit, actor, project_id, Action.PROJECT_VIEW)

    async def create(
        self,
        actor: Actor,
        *,
        name: str,
        description: str = "",
        team_id: TeamId | None = None,
        metrics: Sequence[MetricDefinition] = (),
        settings: ProjectSettings | None = None,
        exist_ok: bool = False,
    ) -> Project:
        """A new project, owned by `actor`.

        Args:
            actor: its owner.
            name: 1 to 100 characters; several projects may share one.
            description: up to 500 characters.
            team_id: the team it belongs to, in which `actor` may create projects.
            metrics: those it tracks.
            settings: naming pattern and display metrics.
            exist_ok: gives the oldest visible project of that name instead, where there is one.
                Of several processes that call it at once, one creates and the others find.

        Raises:
            Forbidden: `actor` may not create projects, or not in this team.
            Invalid: a field breaks a rule, or there is no such team that they may see.
        """
        require(actor, Action.PROJECTS_CREATE, None, kind="project", key=name)
        project = Project(
            id=ProjectId(self._ids.new()),
            name=name,
            description=description,
            owner_id=actor.user_id,
            team_id=team_id,
            metrics=tuple(metrics),
            settings=settings or ProjectSettings(),
            created_at=self._clock.now(),
        )
        async with self._units.writing() as unit:
            if exist_ok:
                await unit.lock(f"project:{name}")
                for present in await unit.projects.list(name=name):
                    if may(actor, Action.PROJECT_VIEW, present.scope):
                        return present
            if team_id is not None:
                await _check_team(unit, actor, team_id)
            await unit.projects.add(project)
            await self._record(unit, actor, "project.create", project.scope)
            await unit.commit()
        return project

    async def edit(self, actor: Actor, project_id: ProjectId, **changes: Any) -> Project:
        """The project with `changes` to its name, description, metrics, settings or team.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not edit it, not take it out of its team, or not put one into the other.
            Invalid: a change breaks a rule or names no editable field, or there is no such team that
                they may see.
        """
        for field in changes.keys() - _EDITABLE:
            raise Invalid.field(field, "cannot be changed")
        async with self._units.writing() as unit:
            project = await visible_project(unit, actor, project_id, Action.PROJECT_EDIT)
            if changes.get("team_id", project.team_id) != project.team_id:
                await _check_move(unit, actor, project, changes["team_id"])
            saved = await unit.projects.save(project.evolve(**changes))
            await self._record(unit, actor, "project.edit", saved.scope, fields=", ".join(sorted(changes)))
            await unit.commit()
        return saved

    async def delete(self, actor: Actor, project_id: ProjectId) -> None:
        """Removes the project with its experiments, their metrics and scalars.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not delete it.
        """
        async with self._units.writing() as unit:
            project = await visible_project(unit, actor, project_id, Action.PROJECT_DELETE)
            order = Purge(id=PurgeId(self._ids.new()), project_id=project_id, requested_at=self._clock.now())
            await unit.purges.add(order)
            await unit.blobs.release(project_id, review_at=order.blobs_from)
            await unit.projects.delete(project_id)
            await self._record(unit, actor, "project.delete", project.scope, name=project.name)
            await unit.commit()
        await self._purge()

    async def describe(self, projects: Sequence[Project]) -> tuple[ProjectDetail, ...]:
        """These projects, which a use case gave, with their owners and counts.

        Nothing is asked of the policy again: who just handed a project over no longer sees it.
        """
        async with self._units.reading() as unit:
            owners = await unit.users.get_many({project.owner_id for project in projects})
            teams = await unit.teams.get_many({project.team_id for project in projects if project.team_id})
            counts = await unit.projects.counts([project.id for project in projects])
        return tuple(
            ProjectDetail(
                project=project,
                owner=owners[project.owner_id],
                team=None if project.team_id is None else teams.get(project.team_id),
                counts=counts.get(project.id, ProjectCounts()),
            )
            for project in projects
            if project.owner_id in owners
        )

    async def _record(
        self, unit: WritingUnit, actor: Actor, what: str, scope: ProjectScope, **detail: Any
    ) -> None:
        key = scope.project_id
        await record(unit, actor, what, "project", key, at=self._clock.now(), scope=scope, **detail)


async def _check_team(unit: ReadingUnit, actor: Actor, team_id: TeamId) -> None:
    """Lets pass who may create projects in a team; a hidden team is answered like a missing one."""
    try:
        team = await unit.teams.get(team_id)
        require(actor, Action.PROJECTS_CREATE, TeamScope(team_id=team.id), kind="team", key=team_id)
    except NotFound as error:
        raise Invalid.field("team_id", error.detail, "team") from error


async def _check_move(unit: ReadingUnit, actor: Actor, project: Project, team_id: TeamId | None) -> None:
    """Lets pass who may take a project out of its team, and put it into the other.

    The other team's owner becomes an owner of the project too. So only an owner puts it there, and with
    all that owners may do: else the single action ``project.edit`` would be worth all of them.
    """
    if project.team_id is not None and not may(actor, Action.PROJECT_DELETE, project.scope):
        raise Forbidden(
            f"team_id: you lack the permission {Action.PROJECT_DELETE.value} to take it out of its team"
        )
    if team_id is not None:
        await _check_team(unit, actor, team_id)
        roles = (role_on_project(actor, project.scope), role_in_team(actor, project.team_id))
        if not actor.is_superuser and Role.OWNER not in roles:
            raise Forbidden("team_id: only an owner of the project puts it into a team")
        require_own(actor, Role.OWNER.actions, project.scope)
