"""The areas of people in process, over the services of a container."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from tracker.areas import Id, uuid_of
from tracker.areas.identity import Account, AuditReport, Explanation, Member, NewToken, Token
from tracker.domain.errors import Invalid
from tracker.domain.identity.accounts.service import AccountService
from tracker.domain.identity.accounts.user import User, normalized_email
from tracker.domain.identity.actions import parse_actions
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.audit.entry import AuditEntry
from tracker.domain.identity.audit.service import AuditService
from tracker.domain.identity.permissions.grant import Effect, Grant
from tracker.domain.identity.permissions.service import PermissionService, Place, ProjectMemberDetail
from tracker.domain.identity.policy import Action
from tracker.domain.identity.roles import Role
from tracker.domain.identity.teams.service import MemberDetail, TeamService
from tracker.domain.identity.teams.team import Team
from tracker.domain.identity.tokens.api_token import ApiToken
from tracker.domain.identity.tokens.service import ApiTokenService
from tracker.domain.ids import ApiTokenId, GrantId, ProjectId, TeamId, UserId
from tracker.domain.projects.ownership.service import Fate, OwnershipService

__all__ = ["Audit", "Permissions", "Teams", "Tokens", "Users"]

_Choice = TypeVar("_Choice", bound=StrEnum)


class Users:
    """:class:`~tracker.areas.AsyncUsers` in process."""

    def __init__(self, actor: Actor, service: AccountService, ownership: OwnershipService) -> None:
        self._actor = actor
        self._service = service
        self._ownership = ownership

    async def me(self) -> Account:
        """The owner of the folder."""
        return _account(await self._service.me(self._actor))

    async def list(self) -> tuple[Account, ...]:
        """All."""
        return tuple(map(_account, await self._service.list(self._actor)))

    async def get(self, user_id: Id) -> Account:
        """One by its id."""
        return _account(await self._service.get(self._actor, _user(user_id)))

    async def find(self, email: str) -> Account | None:
        """One by its address."""
        address = normalized_email(email)
        return next((account for account in await self.list() if account.email == address), None)

    async def create(
        self,
        email: str,
        password: str | None = None,
        *,
        display_name: str | None = None,
        is_superuser: bool = False,
    ) -> Account:
        """A new one."""
        made = await self._service.create(
            self._actor, email, password, display_name=display_name, is_superuser=is_superuser
        )
        return _account(made)

    async def edit(self, /, user_id: Id, **changes: Any) -> Account:
        """One after changes."""
        return _account(await self._service.edit(self._actor, _user(user_id), **changes))

    async def delete(
        self, user_id: Id, *, transfer_to: Id | None = None, delete_everything: bool = False
    ) -> None:
        """Removes one."""
        fate = Fate.DELETE if delete_everything else None if transfer_to is None else Fate.TRANSFER
        heir = None if transfer_to is None else UserId(uuid_of(transfer_to, "transfer_to"))
        await self._ownership.delete_user(self._actor, _user(user_id), fate=fate, heir_id=heir)


class Teams:
    """:class:`~tracker.areas.AsyncTeams` in process."""

    def __init__(self, actor: Actor, service: TeamService) -> None:
        self._actor = actor
        self._service = service

    async def list(self) -> tuple[Team, ...]:
        """All visible ones."""
        return await self._service.list(self._actor)

    async def get(self, team_id: Id) -> Team:
        """One by its id."""
        return await self._service.get(self._actor, _team(team_id))

    async def find(self, name: str) -> Team | None:
        """The oldest of this name."""
        return next((team for team in await self.list() if team.name == name), None)

    async def create(self, name: str, *, description: str = "") -> Team:
        """A new one."""
        return await self._service.create(self._actor, name, description=description)

    async def edit(self, /, team_id: Id, **changes: Any) -> Team:
        """One after changes."""
        return await self._service.edit(self._actor, _team(team_id), **changes)

    async def delete(self, team_id: Id) -> None:
        """Removes one."""
        await self._service.delete(self._actor, _team(team_id))

    async def members(self, team_id: Id) -> tuple[Member, ...]:
        """Who belongs to it."""
        return tuple(map(_member, await self._service.members(self._actor, _team(team_id))))

    async def add(
        self, team_id: Id, role: Role | str, *, user_id: Id | None = None, email: str | None = None
    ) -> Member:
        """Somebody new."""
        chosen = None if user_id is None else _user(user_id)
        added = await self._service.add_member(
            self._actor, _team(team_id), _one_of(Role, role, "role"), user_id=chosen, email=email
        )
        return _member(added)

    async def change(self, team_id: Id, user_id: Id, role: Role | str) -> Member:
        """A member with another role."""
        wanted = _one_of(Role, role, "role")
        changed = await self._service.change_member(self._actor, _team(team_id), _user(user_id), wanted)
        return _member(changed)

    async def remove(self, team_id: Id, user_id: Id) -> None:
        """Somebody leaves."""
        await self._service.remove_member(self._actor, _team(team_id), _user(user_id))

    async def transfer(self, team_id: Id, user_id: Id) -> tuple[Member, ...]:
        """The members under another owner."""
        await self._service.transfer(self._actor, _team(team_id), _user(user_id))
        return await self.members(team_id)


class Tokens:
    """:class:`~tracker.areas.AsyncTokens` in process."""

    def __init__(self, actor: Actor, service: ApiTokenService) -> None:
        self._actor = actor
        self._service = service

    async def list(self) -> tuple[Token, ...]:
        """All of the owner of the folder."""
        return tuple(map(_token, await self._service.list(self._actor)))

    async def create(
        self, name: str, *, scopes: Collection[str], description: str = "", expires_in_days: int | None = None
    ) -> NewToken:
        """A new one."""
        token, plain = await self._service.create(
            self._actor,
            name,
            description=description,
            scopes=parse_actions(scopes),
            expires_in_days=expires_in_days,
        )
        return NewToken(id=token.id, name=token.name, token=plain, created_at=token.created_at)

    async def edit(self, /, token_id: Id, **changes: Any) -> Token:
        """One after changes."""
        if "scopes" in changes:
            changes["scopes"] = parse_actions(changes["scopes"])
        chosen = ApiTokenId(uuid_of(token_id, "token_id"))
        return _token(await self._service.edit(self._actor, chosen, **changes))

    async def revoke(self, token_id: Id) -> None:
        """Ends one for good."""
        await self._service.revoke(self._actor, ApiTokenId(uuid_of(token_id, "token_id")))


class Permissions:
    """:class:`~tracker.areas.AsyncPermissions` in process."""

    def __init__(self, actor: Actor, service: PermissionService) -> None:
        self._actor = actor
        self._service = service

    async def grant(
        self,
        user_id: Id,
        action: Action | str,
        *,
        project_id: Id | None = None,
        team_id: Id | None = None,
        until: datetime | None = None,
    ) -> Grant:
        """Allows something."""
        return await self._put(user_id, action, _place(project_id, team_id), Effect.ALLOW, until)

    async def deny(
        self,
        user_id: Id,
        action: Action | str,
        *,
        project_id: Id | None = None,
        team_id: Id | None = None,
        until: datetime | None = None,
    ) -> Grant:
        """Denies something."""
        return await self._put(user_id, action, _place(project_id, team_id), Effect.DENY, until)

    async def list(self, *, project_id: Id | None = None, team_id: Id | None = None) -> tuple[Grant, ...]:
        """All of one place."""
        return await self._service.list(self._actor, _place(project_id, team_id))

    async def withdraw(self, grant_id: Id) -> None:
        """Removes one."""
        await self._service.withdraw(self._actor, GrantId(uuid_of(grant_id, "grant_id")))

    async def explain(
        self,
        user_id: Id,
        action: Action | str,
        *,
        project_id: Id | None = None,
        team_id: Id | None = None,
    ) -> Explanation:
        """Why, or why not."""
        asked = _one_of(Action, action, "action")
        place = _place(project_id, team_id)
        decision, words = await self._service.explain(self._actor, _user(user_id), asked, place)
        return Explanation(allowed=decision.allowed, reason=decision.reason, role=decision.role, why=words)

    async def members(self, project_id: Id) -> tuple[Member, ...]:
        """With whom a project is shared."""
        return tuple(map(_member, await self._service.members(self._actor, _project(project_id))))

    async def share(self, project_id: Id, user_id: Id, role: Role | str) -> Member:
        """Somebody's new role."""
        wanted = _one_of(Role, role, "role")
        return _member(await self._service.share(self._actor, _project(project_id), _user(user_id), wanted))

    async def unshare(self, project_id: Id, user_id: Id) -> None:
        """Somebody's role ends."""
        await self._service.unshare(self._actor, _project(project_id), _user(user_id))

    async def _put(
        self, user_id: Id, action: Action | str, place: Place, effect: Effect, until: datetime | None
    ) -> Grant:
        chosen = _one_of(Action, action, "action")
        return await self._service.grant(
            self._actor, _user(user_id), chosen, place, effect=effect, until=until
        )


class Audit:
    """:class:`~tracker.areas.AsyncAudit` in process."""

    def __init__(self, actor: Actor, service: AuditService) -> None:
        self._actor = actor
        self._service = service

    async def list(
        self,
        *,
        project_id: Id | None = None,
        team_id: Id | None = None,
        after: int = 0,
        limit: int = 100,
    ) -> tuple[AuditEntry, ...]:
        """A page of it."""
        project, team = _place(project_id, team_id)
        return await self._service.read(
            self._actor, project_id=project, team_id=team, after=after, limit=limit
        )

    async def verify(self, head: str | None = None) -> AuditReport:
        """Whether the chain holds."""
        report = await self._service.verify(self._actor, head)
        return AuditReport(entries=report.entries, head=report.head, problems=report.problems)


def _user(value: Id) -> UserId:
    return UserId(uuid_of(value, "user_id"))


def _team(value: Id) -> TeamId:
    return TeamId(uuid_of(value, "team_id"))


def _project(value: Id) -> ProjectId:
    return ProjectId(uuid_of(value, "project_id"))


def _place(project_id: Id | None, team_id: Id | None) -> Place:
    return Place(
        None if project_id is None else _project(project_id), None if team_id is None else _team(team_id)
    )


def _one_of(kind: type[_Choice], value: str, field: str) -> _Choice:
    try:
        return kind(value)
    except ValueError as error:
        raise Invalid.field(field, f"must be one of {', '.join(kind)}", "enum") from error


def _account(user: User) -> Account:
    return Account(**{name: getattr(user, name) for name in Account.model_fields})


def _member(detail: MemberDetail | ProjectMemberDetail) -> Member:
    member, user = detail
    return Member(
        user_id=user.id,
        email=user.email,
        display_name=user.display_name,
        role=member.role,
        added_at=member.added_at,
    )


def _token(token: ApiToken) -> Token:
    told = {name: getattr(token, name) for name in Token.model_fields if name != "revoked"}
    return Token(**told, revoked=token.revoked_at is not None)
