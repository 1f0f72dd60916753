"""What an actor may do. Pure: every fact it needs comes with the actor and the scope.

The first line that answers, counts; ``docs/guide/permissions.md`` has the truth table.

====  =====================================================  ==================
  #   asked                                                  answer
====  =====================================================  ==================
  1   an API token was shown whose scopes lack the action    no
  2   the user is a superuser                                yes
  3   the action is denied / allowed explicitly on the       no / yes
      project (denial wins)
  4   the same on the project's team, or on the team asked   no / yes
  5   a role on the project has the action                   yes
      (who owns the project is owner there)
  6   a role in the project's team, or the team, has it      yes
  7   on the installation: making a project, team or blob    yes
  8   anything else                                          no
====  =====================================================  ==================

A lower role never takes away what a higher one gives: a viewer of the project who is an admin of
its team is an admin there.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from tracker.domain.errors import Forbidden, NotFound
from tracker.domain.frozen import Frozen
from tracker.domain.identity.actions import Action, covered
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.permissions.grant import Effect
from tracker.domain.identity.roles import Role
from tracker.domain.ids import ProjectId, TeamId, UserId

__all__ = [
    "Action", "Decision", "ProjectScope", "Reason", "Scope", "TeamScope", "decide", "in_scopes", "may",
    "require", "require_own", "require_scopes", "role_in_team", "role_on_project",
]  # fmt: skip

# Bytes are uploaded before it is said to what they belong; that is checked then.
_ON_INSTALLATION = frozenset({Action.PROJECTS_CREATE, Action.TEAMS_MANAGE, Action.ARTIFACTS_LOG})


class ProjectScope(Frozen):
    """The project a question is about, as the policy sees it."""

    project_id: ProjectId
    owner_id: UserId
    team_id: TeamId | None = None


class TeamScope(Frozen):
    """The team a question is about."""

    team_id: TeamId


Scope = ProjectScope | TeamScope | None
"""What a question is about; ``None`` = the installation as a whole."""


class Reason(StrEnum):
    """Which line of the table answered."""

    TOKEN_LACKS_SCOPE = "token_lacks_scope"  # noqa: S105 - not a password
    SUPERUSER = "superuser"
    DENIED_ON_PROJECT = "denied_on_project"
    ALLOWED_ON_PROJECT = "allowed_on_project"
    DENIED_ON_TEAM = "denied_on_team"
    ALLOWED_ON_TEAM = "allowed_on_team"
    ROLE_ON_PROJECT = "role_on_project"
    ROLE_IN_TEAM = "role_in_team"
    EVERYBODY = "everybody"
    NOTHING_ALLOWS = "nothing_allows"


class Decision(NamedTuple):
    """An answer and why.

    Attributes:
        allowed: the answer.
        reason: the line of the table that gave it.
        role: the role that gave it, if one did.
    """

    allowed: bool
    reason: Reason
    role: Role | None = None


def decide(actor: Actor, action: Action, scope: Scope = None) -> Decision:
    """Whether `actor` may do `action` on `scope`, and why."""
    if not in_scopes(actor, action):
        return Decision(False, Reason.TOKEN_LACKS_SCOPE)
    if actor.is_superuser:
        return Decision(True, Reason.SUPERUSER)
    if isinstance(scope, ProjectScope):
        return _on_project(actor, action, scope)
    if isinstance(scope, TeamScope):
        return _in_team(actor, action, scope.team_id)
    if action in _ON_INSTALLATION:
        return Decision(True, Reason.EVERYBODY)
    return Decision(False, Reason.NOTHING_ALLOWS)


def may(actor: Actor, action: Action, scope: Scope = None) -> bool:
    """Whether `actor` may do `action` on `scope`."""
    return decide(actor, action, scope).allowed


def require(actor: Actor, action: Action, scope: Scope, *, kind: str, key: object) -> None:
    """Lets pass what :func:`may` allows.

    Args:
        actor: who asks.
        action: what for.
        scope: the project or team concerned.
        kind: what the caller named, such as ``"experiment"``.
        key: the id by which they named it.

    Raises:
        NotFound: the user may not even see the project or team; worded as if `key` did not exist.
        Forbidden: they may see it, but not do this, or not with this API token.
    """
    decision = decide(actor, action, scope)
    if decision.allowed:
        return
    view = Action.TEAMS_VIEW if isinstance(scope, TeamScope) else Action.PROJECT_VIEW
    # Judged without the token's scopes: its user knows what they may see.
    if scope is not None and not may(actor.evolve(scopes=None), view, scope):
        raise NotFound.of(kind, key)
    if decision.reason is Reason.TOKEN_LACKS_SCOPE:
        raise Forbidden(f"this API token lacks the scope {action.value}")
    raise Forbidden(f"you lack the permission {action.value} on {kind} {key}")


def in_scopes(actor: Actor, action: Action) -> bool:
    """Whether what the actor showed lets them try `action` at all."""
    return actor.scopes is None or not actor.scopes.isdisjoint(covered(action))


def require_scopes(actor: Actor, actions: Iterable[Action]) -> None:
    """Lets pass whoever showed no API token, or one with all these actions among its scopes.

    Raises:
        Forbidden: names the scopes it lacks.
    """
    lacking = sorted(action.value for action in actions if not in_scopes(actor, action))
    if lacking:
        raise Forbidden(f"this API token lacks the scopes {', '.join(lacking)}")


def require_own(actor: Actor, actions: Iterable[Action], scope: Scope) -> None:
    """Lets pass who may do all these actions on `scope` themselves: nobody gives what they lack.

    Raises:
        Forbidden: names what they lack.
    """
    lacking = sorted(action.value for action in actions if not may(actor, action, scope))
    if lacking:
        raise Forbidden(f"you cannot give what you lack there yourself: {', '.join(lacking)}")


def role_on_project(actor: Actor, scope: ProjectScope) -> Role | None:
    """The actor's own role on a project, its team left aside."""
    if scope.owner_id == actor.user_id:
        return Role.OWNER
    return actor.access.projects.get(scope.project_id)


def role_in_team(actor: Actor, team_id: TeamId | None) -> Role | None:
    """The actor's role in a team."""
    return None if team_id is None else actor.access.teams.get(team_id)


def _on_project(actor: Actor, action: Action, scope: ProjectScope) -> Decision:
    explicit = _explicit(actor, action, scope.project_id)
    if explicit is not None:
        allows = explicit is Effect.ALLOW
        return Decision(allows, Reason.ALLOWED_ON_PROJECT if allows else Reason.DENIED_ON_PROJECT)
    if scope.team_id is not None:
        in_team = _in_team(actor, action, scope.team_id)
        if in_team.reason in (Reason.ALLOWED_ON_TEAM, Reason.DENIED_ON_TEAM):
            return in_team
    role = role_on_project(actor, scope)
    if role is not None and action in role.actions:
        return Decision(True, Reason.ROLE_ON_PROJECT, role)
    if scope.team_id is None:
        return Decision(False, Reason.NOTHING_ALLOWS)
    return in_team


def _in_team(actor: Actor, action: Action, team_id: TeamId) -> Decision:
    explicit = _explicit(actor, action, team_id)
    if explicit is not None:
        allows = explicit is Effect.ALLOW
        return Decision(allows, Reason.ALLOWED_ON_TEAM if allows else Reason.DENIED_ON_TEAM)
    role = role_in_team(actor, team_id)
    if role is not None and action in role.actions:
        return Decision(True, Reason.ROLE_IN_TEAM, role)
    return Decision(False, Reason.NOTHING_ALLOWS)


def _explicit(actor: Actor, action: Action, place: UUID) -> Effect | None:
    """What the grants of one place say of the action; denial wins."""
    if not actor.access.grants:  # nearly everybody has none, and this is asked for each row of a list
        return None
    settling = covered(action)
    effects = {
        grant.effect
        for grant in actor.access.grants
        if place in (grant.project_id, grant.team_id) and grant.action in settling and grant.holds(actor.at)
    }
    if not effects:
        return None
    return Effect.DENY if Effect.DENY in effects else Effect.ALLOW
