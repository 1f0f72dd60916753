"""In which project what belongs, and in which one may look."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from tracker.domain.identity.actor import Actor
from tracker.domain.identity.audit.service import record
from tracker.domain.identity.policy import Action, in_scopes, may, require
from tracker.domain.ids import ProjectId
from tracker.domain.projects.project import Project, ProjectSettings
from tracker.domain.projects.service import visible_project
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork, WritingUnit

__all__ = ["HOME", "home", "require_in", "seen_projects"]

HOME = "evaluations"
"""The name of the project in which belongs what names none."""


async def home(
    units: UnitsOfWork, clock: Clock, ids: IdGenerator, actor: Actor, project_id: ProjectId | None
) -> ProjectId:
    """The project of this id, or else `actor`'s own of the name :data:`HOME`, which is made at first use.

    Raises:
        NotFound: there is no such project that `actor` may see.
        Forbidden: they may not add to it, or may make no project.
    """
    async with units.reading() as unit:
        if project_id is not None:
            await visible_project(unit, actor, project_id, Action.EXPERIMENTS_CREATE)
            return project_id
        own = await _own(unit, actor)
    return own if own is not None else await _made(units, actor, ProjectId(ids.new()), clock.now())


async def _made(units: UnitsOfWork, actor: Actor, project_id: ProjectId, now: datetime) -> ProjectId:
    require(actor, Action.PROJECTS_CREATE, None, kind="project", key=HOME)
    async with units.writing() as unit:
        await unit.lock(f"project:{HOME}")
        own = await _own(unit, actor)
        if own is not None:
            return own
        project = Project(
            id=project_id,
            name=HOME,
            description="Evaluations of language models that named no project",
            owner_id=actor.user_id,
            settings=ProjectSettings(naming_patterns=()),
            created_at=now,
        )
        require(actor, Action.EXPERIMENTS_CREATE, project.scope, kind="project", key=HOME)
        await unit.projects.add(project)
        await _recorded(unit, actor, project, now)
        await unit.commit()
    return project_id


async def _recorded(unit: WritingUnit, actor: Actor, project: Project, now: datetime) -> None:
    await record(
        unit, actor, "project.create", "project", project.id, at=now, scope=project.scope, name=project.name
    )


async def _own(unit: ReadingUnit, actor: Actor) -> ProjectId | None:
    for project in await unit.projects.list(name=HOME):
        if project.owner_id == actor.user_id:
            require(actor, Action.EXPERIMENTS_CREATE, project.scope, kind="project", key=project.id)
            return project.id
    return None


async def require_in(
    unit: ReadingUnit, actor: Actor, project_id: ProjectId, action: Action, *, kind: str, key: object
) -> Project:
    """The project of a thing, if `actor` may do `action` there.

    Raises:
        NotFound: they may not see the project; worded as if the thing did not exist.
        Forbidden: they may see it, but not do this.
    """
    project = await unit.projects.get(project_id, asker=actor.user_id)
    require(actor, action, project.scope, kind=kind, key=key)
    return project


async def seen_projects(
    unit: ReadingUnit, actor: Actor, project_id: ProjectId | None
) -> Collection[ProjectId] | None:
    """The projects in which a list looks: the one asked for, or all whose experiments `actor` may view.

    ``None`` means all there are.

    Raises:
        NotFound: there is no such project that they may see.
        Forbidden: they may not view its experiments, or nobody's with this API token.
    """
    if project_id is not None:
        await visible_project(unit, actor, project_id, Action.EXPERIMENTS_VIEW)
        return (project_id,)
    if may(actor, Action.EXPERIMENTS_VIEW):  # everywhere, as superusers may
        return None
    if not in_scopes(actor, Action.EXPERIMENTS_VIEW):
        require(actor, Action.EXPERIMENTS_VIEW, None, kind="project", key="")
    projects = await unit.projects.list()
    return tuple(each.id for each in projects if may(actor, Action.EXPERIMENTS_VIEW, each.scope))
