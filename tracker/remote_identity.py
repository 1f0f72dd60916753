"""The areas of people against a server."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from tracker.areas import Id, uuid_of
from tracker.areas.identity import Account, AuditReport, Explanation, Member, NewToken, Token
from tracker.domain.identity.accounts.user import normalized_email
from tracker.domain.identity.audit.entry import AuditEntry
from tracker.domain.identity.permissions.grant import Effect, Grant
from tracker.domain.identity.policy import Action
from tracker.domain.identity.roles import Role
from tracker.domain.identity.teams.team import Team
from tracker.remote_client import Client
from tracker.wire_identity import (
    account_from,
    audit_entry_from,
    body_of,
    explanation_from,
    grant_from,
    member_from,
    new_token_from,
    report_from,
    team_from,
    token_from,
)

__all__ = ["Audit", "Permissions", "Teams", "Tokens", "Users", "log_in", "log_out"]


async def log_in(url: str, email: str, password: str) -> str:
    """A session token of the server at `url`.

    Raises:
        BadCredentials: the e-mail or the password does not hold.
        TooManyRequests: there were too many failures lately.
        Unavailable: the server does not answer.
    """
    client = Client(url, None)
    try:
        answer = await client.form("/auth/jwt/login", {"username": email, "password": password})
    finally:
        await client.aclose()
    return str(answer["access_token"])


async def log_out(url: str, session: str) -> None:
    """Ends a session for good. Raises ``Unauthenticated`` when it has ended already."""
    client = Client(url, session)
    try:
        await client.post("/auth/jwt/logout", None)
    finally:
        await client.aclose()


class Users:
    """:class:`~tracker.areas.AsyncUsers` over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def me(self) -> Account:
        """Whose token is shown."""
        return account_from(await self._client.get("/users/me"))

    async def list(self) -> tuple[Account, ...]:
        """All."""
        return tuple(map(account_from, await self._client.get("/users")))

    async def get(self, user_id: Id) -> Account:
        """One by its id."""
        return account_from(await self._client.get(_user(user_id)))

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
        fields = {
            "email": email, "password": password, "display_name": display_name, "is_superuser": is_superuser,
        }  # fmt: skip
        return account_from(await self._client.post("/users", body_of(fields)))

    async def edit(self, /, user_id: Id, **changes: Any) -> Account:
        """One after changes."""
        return account_from(await self._client.patch(_user(user_id), body_of(changes)))

    async def delete(
        self, user_id: Id, *, transfer_to: Id | None = None, delete_everything: bool = False
    ) -> None:
        """Removes one."""
        query: dict[str, Any] = {}
        if transfer_to is not None:
            query |= {"fate": "transfer", "transferTo": str(uuid_of(transfer_to, "transfer_to"))}
        if delete_everything:
            query["fate"] = "delete"
        await self._client.delete(_user(user_id), query=query)


class Teams:
    """:class:`~tracker.areas.AsyncTeams` over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def list(self) -> tuple[Team, ...]:
        """All visible ones."""
        return tuple(map(team_from, await self._client.get("/teams")))

    async def get(self, team_id: Id) -> Team:
        """One by its id."""
        return team_from(await self._client.get(_team(team_id)))

    async def find(self, name: str) -> Team | None:
        """The oldest of this name."""
        return next((team for team in await self.list() if team.name == name), None)

    async def create(self, name: str, *, description: str = "") -> Team:
        """A new one."""
        body = {"name": name, "description": description}
        return team_from(await self._client.post("/teams", body))

    async def edit(self, /, team_id: Id, **changes: Any) -> Team:
        """One after changes; the API wants the name among them."""
        if "name" not in changes:
            changes["name"] = (await self.get(team_id)).name
        body = body_of({"id": uuid_of(team_id, "team_id"), **changes})
        return team_from(await self._client.patch("/teams", body))

    async def delete(self, team_id: Id) -> None:
        """Removes one."""
        await self._client.delete(_team(team_id))

    async def members(self, team_id: Id) -> tuple[Member, ...]:
        """Who belongs to it."""
        return tuple(map(member_from, await self._client.get(f"{_team(team_id)}/members")))

    async def add(
        self, team_id: Id, role: Role | str, *, user_id: Id | None = None, email: str | None = None
    ) -> Member:
        """Somebody new."""
        fields: dict[str, Any] = {"team_id": uuid_of(team_id, "team_id"), "role": role}
        if user_id is not None:
            fields["user_id"] = uuid_of(user_id, "user_id")
        if email is not None:
            fields["email"] = email
        return member_from(await self._client.post("/teams/members", body_of(fields)))

    async def change(self, team_id: Id, user_id: Id, role: Role | str) -> Member:
        """A member with another role."""
        fields = {
            "team_id": uuid_of(team_id, "team_id"), "user_id": uuid_of(user_id, "user_id"), "role": role,
        }  # fmt: skip
        return member_from(await self._client.patch("/teams/members", body_of(fields)))

    async def remove(self, team_id: Id, user_id: Id) -> None:
        """Somebody leaves."""
        fields = {"team_member_id": uuid_of(team_id, "team_id"), "user_id": uuid_of(user_id, "user_id")}
        await self._client.delete("/teams/members", body_of(fields))

    async def transfer(self, team_id: Id, user_id: Id) -> tuple[Member, ...]:
        """The members under another owner."""
        body = {"userId": str(uuid_of(user_id, "user_id"))}
        return tuple(map(member_from, await self._client.post(f"{_team(team_id)}/transfer", body)))


class Tokens:
    """:class:`~tracker.areas.AsyncTokens` over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def list(self) -> tuple[Token, ...]:
        """All of one's own."""
        return tuple(map(token_from, await self._client.get("/api-tokens")))

    async def create(
        self, name: str, *, scopes: Collection[str], description: str = "", expires_in_days: int | None = None
    ) -> NewToken:
        """A new one."""
        fields = {
            "name": name,
            "description": description,
            "scopes": sorted(scopes),
            "expires_in_days": expires_in_days,
        }
        return new_token_from(await self._client.post("/api-tokens", body_of(fields)))

    async def edit(self, /, token_id: Id, **changes: Any) -> Token:
        """One after changes."""
        return token_from(await self._client.patch(_token(token_id), body_of(changes)))

    async def revoke(self, token_id: Id) -> None:
        """Ends one for good."""
        await self._client.delete(_token(token_id))


class Permissions:
    """:class:`~tracker.areas.AsyncPermissions` over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

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
        query = body_of(_place(project_id, team_id))
        return tuple(map(grant_from, await self._client.get("/permissions", query)))

    async def withdraw(self, grant_id: Id) -> None:
        """Removes one."""
        await self._client.delete(f"/permissions/{uuid_of(grant_id, 'grant_id')}")

    async def explain(
        self,
        user_id: Id,
        action: Action | str,
        *,
        project_id: Id | None = None,
        team_id: Id | None = None,
    ) -> Explanation:
        """Why, or why not."""
        query = {"user": str(uuid_of(user_id, "user_id")), "action": str(action)}
        for name, value in _place(project_id, team_id).items():
            query[name.removesuffix("_id")] = str(value)
        return explanation_from(await self._client.get("/permissions/explain", query))

    async def members(self, project_id: Id) -> tuple[Member, ...]:
        """With whom a project is shared."""
        return tuple(map(member_from, await self._client.get(_members(project_id))))

    async def share(self, project_id: Id, user_id: Id, role: Role | str) -> Member:
        """Somebody's new role."""
        body = body_of({"user_id": uuid_of(user_id, "user_id"), "role": role})
        return member_from(await self._client.patch(_members(project_id), body))

    async def unshare(self, project_id: Id, user_id: Id) -> None:
        """Somebody's role ends."""
        await self._client.delete(_members(project_id), {"userId": str(uuid_of(user_id, "user_id"))})

    async def _put(
        self,
        user_id: Id,
        action: Action | str,
        place: dict[str, Any],
        effect: Effect,
        until: datetime | None,
    ) -> Grant:
        fields = {"user_id": uuid_of(user_id, "user_id"), "action": action, "effect": effect, "until": until}
        return grant_from(await self._client.post("/permissions", body_of(fields | place)))


class Audit:
    """:class:`~tracker.areas.AsyncAudit` over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def list(
        self,
        *,
        project_id: Id | None = None,
        team_id: Id | None = None,
        after: int = 0,
        limit: int = 100,
    ) -> tuple[AuditEntry, ...]:
        """A page of it."""
        query = body_of({**_place(project_id, team_id), "after": after, "limit": limit})
        return tuple(map(audit_entry_from, await self._client.get("/audit", query)))

    async def verify(self, head: str | None = None) -> AuditReport:
        """Whether the chain holds."""
        query = {} if head is None else {"head": head}
        return report_from(await self._client.get("/audit/verify", query))


def _user(value: Id) -> str:
    return f"/users/{uuid_of(value, 'user_id')}"


def _team(value: Id) -> str:
    return f"/teams/{uuid_of(value, 'team_id')}"


def _token(value: Id) -> str:
    return f"/api-tokens/{uuid_of(value, 'token_id')}"


def _members(project_id: Id) -> str:
    return f"/projects/{uuid_of(project_id, 'project_id')}/members"


def _place(project_id: Id | None, team_id: Id | None) -> dict[str, Any]:
    given = {"project_id": project_id, "team_id": team_id}
    return {name: uuid_of(value, name) for name, value in given.items() if value is not None}
