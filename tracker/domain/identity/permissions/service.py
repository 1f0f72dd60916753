"""Use cases of permissions: who may do what on one project or in one team, and why."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from tracker.domain.errors import Forbidden, Invalid, NotFound
from tracker.domain.identity.accounts.user import User
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.audit.service import record
from tracker.domain.identity.permissions.grant import Effect, Grant
from tracker.domain.identity.policy import (
    Action,
    Decision,
    ProjectScope,
    Reason,
    TeamScope,
    decide,
    require,
    require_own,
    role_in_team,
    role_on_project,
)
from tracker.domain.identity.roles import Role
from tracker.domain.identity.teams.team import ProjectMember, check_role_change
from tracker.domain.ids import GrantId, ProjectId, TeamId, UserId
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork

__all__ = ["Explanation", "PermissionService", "Place", "ProjectMemberDetail"]


class Place(NamedTuple):
    """A project or a team: exactly one of the two."""

    project_id: ProjectId | None = None
    team_id: TeamId | None = None


class ProjectMemberDetail(NamedTuple):
    """Somebody with whom a project is shared, and who that is."""

    member: ProjectMember
    user: User


class Explanation(NamedTuple):
    """Whether somebody may do something, and why."""

    decision: Decision
    words: str


class PermissionService:
    """Grants and denies single actions, shares projects, and explains what comes of it all.

    Who may do that on a project or team is who may ``teams.manage`` there: its owner and admins.
    Nobody gives what they lack, nor takes from somebody of their own rank or above.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ids: names grants.
    """

    def __init__(self, units: UnitsOfWork, clock: Clock, ids: IdGenerator) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids

    async def grant(
        self,
        actor: Actor,
        user_id: UserId,
        action: Action,
        place: Place,
        *,
        effect: Effect = Effect.ALLOW,
        until: datetime | None = None,
    ) -> Grant:
        """Allows or denies one action to one person; the same again replaces the date.

        Args:
            actor: who grants.
            user_id: to whom.
            action: what.
            place: where.
            effect: allow or deny.
            until: from this moment on it no longer holds; ``None`` = for good.

        Raises:
            NotFound: there is no such project, team or user that `actor` may see.
            Forbidden: they may not grant there, lack the action, or the user's rank is too high.
            Invalid: the date lies in the past.
        """
        now = self._clock.now()
        if until is not None and until <= now:
            raise Invalid.field("until", "lies in the past")
        async with self._units.writing() as unit:
            scope = await _managed(unit, actor, place)
            user = await unit.users.get(user_id)
            if effect is Effect.ALLOW:
                require_own(actor, (action,), scope)
            else:
                await _require_outranks(unit, actor, user_id, scope)
            kept = await unit.grants.put(
                Grant(
                    id=GrantId(self._ids.new()), user_id=user.id, action=action, effect=effect,
                    project_id=place.project_id, team_id=place.team_id, until=until,
                    granted_by=actor.user_id, created_at=now,
                )
            )  # fmt: skip
            await record(
                unit, actor, f"permission.{effect}", "user", user_id, at=now, scope=scope,
                action=action.value, until=until and until.isoformat(),
            )  # fmt: skip
            await unit.commit()
        return kept

    async def list(self, actor: Actor, place: Place) -> tuple[Grant, ...]:
        """The grants of one project or team, expired ones too, oldest first.

        Raises:
            NotFound: there is no such project or team that `actor` may see.
            Forbidden: they may not manage its permissions.
        """
        async with self._units.reading() as unit:
            await _managed(unit, actor, place)
            return await unit.grants.on(_id(place))

    async def withdraw(self, actor: Actor, grant_id: GrantId) -> None:
        """Removes a grant.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not manage permissions there, lack an action that was denied, or the
                rank of who would lose an action is too high.
        """
        async with self._units.writing() as unit:
            grant = await unit.grants.get(grant_id)
            place = Place(grant.project_id, grant.team_id)
            try:
                scope = await _managed(unit, actor, place)
            except NotFound:
                raise NotFound.of("grant", grant_id) from None
            if grant.effect is Effect.DENY:
                require_own(actor, (grant.action,), scope)
            elif grant.user_id != actor.user_id:
                await _require_outranks(unit, actor, grant.user_id, scope)
            await unit.grants.remove(grant_id)
            await record(
                unit, actor, "permission.withdraw", "user", grant.user_id, at=self._clock.now(), scope=scope,
                action=grant.action.value, effect=grant.effect.value,
            )  # fmt: skip
            await unit.commit()

    async def members(self, actor: Actor, project_id: ProjectId) -> tuple[ProjectMemberDetail, ...]:
        """With whom a project is shared, beside its owner and team.

        Raises:
            NotFound: there is no such project that `actor` may see.
        """
        async with self._units.reading() as unit:
            scope = (await unit.projects.get(project_id)).scope
            require(actor, Action.PROJECT_VIEW, scope, kind="project", key=project_id)
            members = await unit.members.of_project(project_id)
            users = await unit.users.get_many([member.user_id for member in members])
        return tuple(ProjectMemberDetail(m, users[m.user_id]) for m in members if m.user_id in users)

    async def share(
        self, actor: Actor, project_id: ProjectId, user_id: UserId, role: Role
    ) -> ProjectMemberDetail:
        """Gives somebody a role on a project, or another one.

        Raises:
            NotFound: there is no such project that `actor` may see, or no such user.
            Forbidden: they may not manage it, the ranks do not allow it, or the role has an action that
                they lack.
            Conflict: the role is that of the owner, before or after.
        """
        now = self._clock.now()
        async with self._units.writing() as unit:
            scope = (await unit.projects.get(project_id)).scope
            require(actor, Action.TEAMS_MANAGE, scope, kind="project", key=project_id)
            user = await unit.users.get(user_id)
            place = await _place(unit, scope, user_id)
            before = _held(place, scope, user_id)
            check_role_change(_own_role(actor, scope), before, role, is_self=user_id == actor.user_id)
            require_own(actor, role.actions - (before.actions if before else frozenset()), scope)
            added_at = now if place is None else place.added_at
            member = ProjectMember(project_id=project_id, user_id=user_id, role=role, added_at=added_at)
            await unit.members.put(member)
            await record(
                unit, actor, "project.share", "project", project_id, at=now, scope=scope,
                user=str(user_id), role=role.value,
            )  # fmt: skip
            await unit.commit()
        return ProjectMemberDetail(member, user)

    async def unshare(self, actor: Actor, project_id: ProjectId, user_id: UserId) -> None:
        """Takes somebody's role on a project away; everybody but the owner may leave by themselves.

        Raises:
            NotFound: there is no such project that `actor` may see, or it is not shared with the user.
            Forbidden: they may not manage it, or the ranks do not allow it.
            Conflict: it is the owner.
        """
        is_self = user_id == actor.user_id
        now = self._clock.now()
        async with self._units.writing() as unit:
            scope = (await unit.projects.get(project_id)).scope
            action = Action.PROJECT_VIEW if is_self else Action.TEAMS_MANAGE
            require(actor, action, scope, kind="project", key=project_id)
            place = await _place(unit, scope, user_id)
            before = _held(place, scope, user_id)
            check_role_change(_own_role(actor, scope), before, None, is_self=is_self)
            if place is None:
                raise NotFound.of("member", user_id)
            await unit.members.remove(place)
            await record(
                unit, actor, "project.unshare", "project", project_id, at=now, scope=scope, user=str(user_id)
            )
            await unit.commit()

    async def explain(self, actor: Actor, user_id: UserId, action: Action, place: Place) -> Explanation:
        """Whether a user may do something on a project or in a team, and which rule says so.

        Anybody may ask about themselves, and who manages the permissions there about everybody.

        Raises:
            NotFound: there is no such project, team or user that `actor` may see.
            Forbidden: they may not ask about others there.
        """
        async with self._units.reading() as unit:
            if user_id == actor.user_id:
                scope = await _scope(unit, place)
                view = Action.TEAMS_VIEW if isinstance(scope, TeamScope) else Action.PROJECT_VIEW
                require(actor, view, scope, kind=_kind(place), key=_id(place))
                asked = actor
            else:
                scope = await _managed(unit, actor, place)
                asked = await _as_actor(unit, user_id, self._clock.now())
        decision = decide(asked, action, scope)
        return Explanation(decision, _words(decision, action))


_WORDS = {
    Reason.TOKEN_LACKS_SCOPE: "the API token that was shown lacks the scope {action}",
    Reason.SUPERUSER: "administrators of the installation may do everything",
    Reason.DENIED_ON_PROJECT: "{action} is denied explicitly on this project",
    Reason.ALLOWED_ON_PROJECT: "{action} is allowed explicitly on this project",
    Reason.DENIED_ON_TEAM: "{action} is denied explicitly in the team",
    Reason.ALLOWED_ON_TEAM: "{action} is allowed explicitly in the team",
    Reason.ROLE_ON_PROJECT: "the role {role} on the project has {action}",
    Reason.ROLE_IN_TEAM: "the role {role} in the team has {action}",
    Reason.EVERYBODY: "everybody with an account may do {action}",
    Reason.NOTHING_ALLOWS: "no role and no grant there has {action}",
}


def _words(decision: Decision, action: Action) -> str:
    return _WORDS[decision.reason].format(action=action.value, role=decision.role)


def _id(place: Place) -> ProjectId | TeamId:
    if place.project_id is not None:
        return place.project_id
    if place.team_id is None:
        raise Invalid.field("project_id", "give a project or a team")
    return place.team_id


def _kind(place: Place) -> str:
    return "project" if place.project_id is not None else "team"


async def _scope(unit: ReadingUnit, place: Place) -> ProjectScope | TeamScope:
    if (place.project_id is None) == (place.team_id is None):
        raise Invalid.field("project_id", "give either a project or a team")
    if place.project_id is not None:
        return (await unit.projects.get(place.project_id)).scope
    return TeamScope(team_id=(await unit.teams.get(TeamId(_id(place)))).id)


async def _managed(unit: ReadingUnit, actor: Actor, place: Place) -> ProjectScope | TeamScope:
    scope = await _scope(unit, place)
    require(actor, Action.TEAMS_MANAGE, scope, kind=_kind(place), key=_id(place))
    return scope


async def _as_actor(unit: ReadingUnit, user_id: UserId, at: datetime) -> Actor:
    standing = await unit.standings.of_user(user_id)
    user = standing.user
    return Actor(user_id=user.id, is_superuser=user.is_superuser, access=standing.access, at=at)


def _role(actor: Actor, scope: ProjectScope | TeamScope) -> Role | None:
    roles = [role_in_team(actor, scope.team_id)]
    if isinstance(scope, ProjectScope):
        roles.append(role_on_project(actor, scope))
    return max((role for role in roles if role is not None), key=lambda role: role.rank, default=None)


def _own_role(actor: Actor, scope: ProjectScope) -> Role | None:
    """As in teams: a superuser is above all; who was granted the action alone acts as an admin."""
    return None if actor.is_superuser else _role(actor, scope) or Role.ADMIN


async def _place(unit: ReadingUnit, scope: ProjectScope, user_id: UserId) -> ProjectMember | None:
    members = await unit.members.of_project(scope.project_id)
    return next((member for member in members if member.user_id == user_id), None)


def _held(place: ProjectMember | None, scope: ProjectScope, user_id: UserId) -> Role | None:
    if user_id == scope.owner_id:
        return Role.OWNER
    return None if place is None else place.role


async def _require_outranks(
    unit: ReadingUnit, actor: Actor, user_id: UserId, scope: ProjectScope | TeamScope
) -> None:
    if actor.is_superuser:
        return
    other = _role(await _as_actor(unit, user_id, actor.at), scope)
    if other is not None and not (_role(actor, scope) or Role.ADMIN).outranks(other):
        raise Forbidden(f"user_id: you cannot take anything from somebody who is {other} there")
