"""What an actor may do. Pure: every fact it needs comes with the actor and the scope."""

from __future__ import annotations

from enum import StrEnum

from tracker.domain.errors import Forbidden, NotFound
from tracker.domain.frozen import Frozen
from tracker.domain.identity.actor import Actor
from tracker.domain.ids import ProjectId, TeamId, UserId

__all__ = ["Action", "ProjectScope", "may", "require"]


class Action(StrEnum):
    """Everything one may be allowed to do, by the names that the API uses."""

    PROJECTS_CREATE = "projects.create"
    PROJECT_VIEW = "project.view"
    PROJECT_EDIT = "project.edit"
    PROJECT_DELETE = "project.delete"
    EXPERIMENTS_VIEW = "experiments.view"
    EXPERIMENTS_CREATE = "experiments.create"
    EXPERIMENTS_EDIT = "experiments.edit"
    EXPERIMENTS_DELETE = "experiments.delete"
    METRICS_VIEW = "metrics.view"
    METRICS_LOG = "metrics.log"
    SCALARS_VIEW = "scalars.view"
    SCALARS_LOG = "scalars.log"


class ProjectScope(Frozen):
    """The project a question is about, as the policy sees it."""

    project_id: ProjectId
    owner_id: UserId
    team_id: TeamId | None = None


def may(actor: Actor, action: Action, scope: ProjectScope | None = None) -> bool:
    """Whether `actor` may do `action` on `scope` (``None``: on the installation as a whole).

    A superuser may do everything, an owner everything on their own projects, and everybody may
    create projects of their own.
    """
    if actor.is_superuser:
        return True
    if scope is None:
        return action is Action.PROJECTS_CREATE
    return scope.owner_id == actor.user_id


def require(actor: Actor, action: Action, scope: ProjectScope | None, *, kind: str, key: object) -> None:
    """Lets pass what :func:`may` allows.

    Args:
        actor: who asks.
        action: what for.
        scope: the project concerned.
        kind: what the caller named, such as ``"experiment"``.
        key: the id by which they named it.

    Raises:
        NotFound: the actor may not even see the project; worded as if `key` did not exist.
        Forbidden: they may see it, but not do this.
    """
    if may(actor, action, scope):
        return
    if scope is not None and not may(actor, Action.PROJECT_VIEW, scope):
        raise NotFound.of(kind, key)
    raise Forbidden(f"you lack the permission {action.value} on {kind} {key}")
