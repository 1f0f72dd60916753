"""Use cases of teams."""

from __future__ import annotations

from typing import Any, NamedTuple

from tracker.domain.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from tracker.domain.identity.accounts.user import User, normalized_email
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.audit.service import record
from tracker.domain.identity.policy import (
    Action,
    TeamScope,
    may,
    require,
    require_own,
    require_scopes,
    role_in_team,
)
from tracker.domain.identity.roles import Role
from tracker.domain.identity.teams.team import Team, TeamMember, check_role_change
from tracker.domain.ids import TeamId, UserId
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork, WritingUnit

__all__ = ["MemberDetail", "TeamService", "visible_team"]

_EDITABLE = frozenset({"name", "description"})


class MemberDetail(NamedTuple):
    """Somebody's place in a team, and who that is."""

    member: TeamMember
    user: User


async def visible_team(unit: ReadingUnit, actor: Actor, team_id: TeamId, action: Action) -> Team:
    """The team, if `actor` may do `action` in it.

    Raises:
        NotFound: there is none, or the actor may not see it.
        Forbidden: they may see it, but not do this.
    """
    team = await unit.teams.get(team_id)
    require(actor, action, TeamScope(team_id=team_id), kind="team", key=team_id)
    return team


class TeamService:
    """Makes teams, and says who belongs to them.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ids: names teams.
    """

    def __init__(self, units: UnitsOfWork, clock: Clock, ids: IdGenerator) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids

    async def create(self, actor: Actor, name: str, *, description: str = "") -> Team:
        """A new team, owned by `actor`.

        Raises:
            Forbidden: the API token lacks the scope.
            Invalid: a field breaks a rule.
        """
        require(actor, Action.TEAMS_MANAGE, None, kind="team", key=name)
        now = self._clock.now()
        team = Team(id=TeamId(self._ids.new()), name=name, description=description, created_at=now)
        owner = TeamMember(team_id=team.id, user_id=actor.user_id, role=Role.OWNER, added_at=now)
        async with self._units.writing() as unit:
            await unit.teams.add(team)
            await unit.members.put(owner)
            await self._record(unit, actor, "team.create", team.id)
            await unit.commit()
        return team

    async def list(self, actor: Actor) -> tuple[Team, ...]:
        """The teams that `actor` may see, oldest first."""
        async with self._units.reading() as unit:
            teams = await unit.teams.list()
        return tuple(team for team in teams if may(actor, Action.TEAMS_VIEW, TeamScope(team_id=team.id)))

    async def get(self, actor: Actor, team_id: TeamId) -> Team:
        """One team.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        async with self._units.reading() as unit:
            return await visible_team(unit, actor, team_id, Action.TEAMS_VIEW)

    async def edit(self, actor: Actor, team_id: TeamId, **changes: Any) -> Team:
        """The team after changes to its name or description.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not manage it.
            Invalid: a change breaks a rule or names no such field.
        """
        for field in changes.keys() - _EDITABLE:
            raise Invalid.field(field, "cannot be changed")
        async with self._units.writing() as unit:
            team = await visible_team(unit, actor, team_id, Action.TEAMS_MANAGE)
            saved = await unit.teams.save(team.evolve(**changes))
            await self._record(unit, actor, "team.edit", team_id, fields=", ".join(sorted(changes)))
            await unit.commit()
        return saved

    async def delete(self, actor: Actor, team_id: TeamId) -> None:
        """Removes the team; its projects stay with their owners.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not delete it.
        """
        async with self._units.writing() as unit:
            await visible_team(unit, actor, team_id, Action.TEAMS_DELETE)
            await unit.teams.delete(team_id)
            await self._record(unit, actor, "team.delete", team_id)
            await unit.commit()

    async def members(self, actor: Actor, team_id: TeamId) -> tuple[MemberDetail, ...]:
        """Who belongs to the team, in the order in which they were added.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        async with self._units.reading() as unit:
            await visible_team(unit, actor, team_id, Action.TEAMS_VIEW)
            members = await unit.members.of_team(team_id)
            users = await unit.users.get_many([member.user_id for member in members])
        return tuple(MemberDetail(m, users[m.user_id]) for m in members if m.user_id in users)

    async def add_member(
        self,
        actor: Actor,
        team_id: TeamId,
        role: Role,
        *,
        user_id: UserId | None = None,
        email: str | None = None,
    ) -> MemberDetail:
        """Somebody new in the team, named by id or by e-mail.

        Raises:
            NotFound: there is no such team that `actor` may see, or no such user.
            Forbidden: they may not manage it, not hand out this role, or lack one of its actions.
            AlreadyExists: the user belongs to it already.
            Conflict: the role is that of the owner.
            Invalid: neither id nor e-mail is given, or both.
        """
        async with self._units.writing() as unit:
            await visible_team(unit, actor, team_id, Action.TEAMS_MANAGE)
            user = await _named(unit, user_id, email)
            check_role_change(_own_role(actor, team_id), None, role, is_self=user.id == actor.user_id)
            require_own(actor, role.actions, TeamScope(team_id=team_id))
            if any(member.user_id == user.id for member in await unit.members.of_team(team_id)):
                raise AlreadyExists(f"user {user.id} belongs to team {team_id} already")
            member = TeamMember(team_id=team_id, user_id=user.id, role=role, added_at=self._clock.now())
            await unit.members.put(member)
            await self._record(unit, actor, "team.member.add", team_id, user=str(user.id), role=role.value)
            await unit.commit()
        return MemberDetail(member, user)

    async def change_member(self, actor: Actor, team_id: TeamId, user_id: UserId, role: Role) -> MemberDetail:
        """A member with another role.

        Raises:
            NotFound: there is no such team that `actor` may see, or no such member.
            Forbidden: they may not manage it, the ranks do not allow it, or they lack one of the role's
                actions.
            Conflict: it is the owner's role, before or after.
        """
        async with self._units.writing() as unit:
            await visible_team(unit, actor, team_id, Action.TEAMS_MANAGE)
            member = await _member(unit, team_id, user_id)
            own = _own_role(actor, team_id)
            check_role_change(own, member.role, role, is_self=user_id == actor.user_id)
            require_own(actor, role.actions - member.role.actions, TeamScope(team_id=team_id))
            changed = member.evolve(role=role)
            await unit.members.put(changed)
            await self._record(unit, actor, "team.member.change", team_id, user=str(user_id), role=role.value)
            user = await unit.users.get(user_id)
            await unit.commit()
        return MemberDetail(changed, user)

    async def remove_member(self, actor: Actor, team_id: TeamId, user_id: UserId) -> None:
        """Takes somebody out of the team; everybody but the owner may leave by themselves.

        Raises:
            NotFound: there is no such team that `actor` may see, or no such member.
            Forbidden: they may not manage it, or the ranks do not allow it.
            Conflict: it is the owner.
        """
        is_self = user_id == actor.user_id
        async with self._units.writing() as unit:
            action = Action.TEAMS_VIEW if is_self else Action.TEAMS_MANAGE
            await visible_team(unit, actor, team_id, action)
            member = await _member(unit, team_id, user_id)
            check_role_change(_own_role(actor, team_id), member.role, None, is_self=is_self)
            await unit.members.remove(member)
            await self._record(unit, actor, "team.member.remove", team_id, user=str(user_id))
            await unit.commit()

    async def transfer(self, actor: Actor, team_id: TeamId, user_id: UserId) -> None:
        """Makes another member the owner; the owner of today becomes an admin.

        Raises:
            NotFound: there is no such team that `actor` may see, or no such member.
            Forbidden: `actor` is not its owner, or shows an API token without all scopes.
            Conflict: the member is the owner already.
        """
        async with self._units.writing() as unit:
            await visible_team(unit, actor, team_id, Action.TEAMS_DELETE)
            if not actor.is_superuser and role_in_team(actor, team_id) is not Role.OWNER:
                raise Forbidden("only the owner hands a team over")
            require_scopes(actor, Role.OWNER.actions)
            new = await _member(unit, team_id, user_id)
            if new.role is Role.OWNER:
                raise Conflict(f"user {user_id} owns team {team_id} already")
            for member in await unit.members.of_team(team_id):
                if member.role is Role.OWNER:
                    await unit.members.put(member.evolve(role=Role.ADMIN))
            await unit.members.put(new.evolve(role=Role.OWNER))
            await self._record(unit, actor, "team.transfer", team_id, user=str(user_id))
            await unit.commit()

    async def _record(
        self, unit: WritingUnit, actor: Actor, what: str, team_id: TeamId, **detail: Any
    ) -> None:
        scope = TeamScope(team_id=team_id)
        await record(unit, actor, what, "team", team_id, at=self._clock.now(), scope=scope, **detail)


def _own_role(actor: Actor, team_id: TeamId) -> Role | None:
    """The role by which `actor` manages the team: a superuser's is above all, a person who was granted
    the action without one hands out what an admin may."""
    if actor.is_superuser:
        return None
    return role_in_team(actor, team_id) or Role.ADMIN


async def _member(unit: ReadingUnit, team_id: TeamId, user_id: UserId) -> TeamMember:
    for member in await unit.members.of_team(team_id):
        if member.user_id == user_id:
            return member
    raise NotFound.of("member", user_id)


async def _named(unit: ReadingUnit, user_id: UserId | None, email: str | None) -> User:
    if (user_id is None) == (email is None):
        raise Invalid.field("user_id", "give either the user's id or their e-mail")
    if user_id is not None:
        return await unit.users.get(user_id)
    address = normalized_email(email or "")
    user = await unit.users.find_by_email(address)
    if user is None:
        raise NotFound.of("user", address)
    return user
