"""Users and how they prove who they are, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.identity_tables import api_tokens, codes, external_identities, users
from tracker.adapters.sql.session import Lookup, Row, Session
from tracker.domain.errors import Conflict, NotFound, StaleVersion
from tracker.domain.identity.accounts.user import User
from tracker.domain.identity.actions import Action
from tracker.domain.identity.recovery.one_time_code import OneTimeCode, Purpose
from tracker.domain.identity.tokens.api_token import ApiToken
from tracker.domain.ids import ApiTokenId, CodeId, UserId

__all__ = ["SqlApiTokenRepository", "SqlCodeRepository", "SqlUserRepository", "api_token_of"]


class SqlUserRepository:
    """Keeps the port :class:`tracker.ports.identity.UserRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, user_id: UserId) -> User:
        """The user."""
        found = await self._session.find(_BY_ID, user_id)
        if found is None:
            raise NotFound.of("user", user_id)
        return found

    async def get_many(self, user_ids: Collection[UserId]) -> Mapping[UserId, User]:
        """Those that exist."""
        rows = await self._session.rows(sa.select(users).where(users.c.id.in_(user_ids)))
        return {row.id: _user(row) for row in rows}

    async def find_by_email(self, email: str) -> User | None:
        """The one with this address."""
        return await self._one(sa.select(users).where(users.c.email == email))

    async def find_external(self, issuer: str, subject: str) -> User | None:
        """The one whom a provider means."""
        meant = external_identities.c
        return await self._one(
            sa.select(users).join(external_identities).where(meant.issuer == issuer, meant.subject == subject)
        )

    async def list(self) -> tuple[User, ...]:
        """All, oldest first."""
        statement = sa.select(users).order_by(users.c.created_at, users.c.id)
        return tuple(map(_user, await self._session.rows(statement)))

    async def add(self, user: User) -> None:
        """Keeps a new one."""
        with inserting("user", user.email):
            await self._session.run(sa.insert(users).values(user.__dict__))

    async def save(self, user: User) -> User:
        """Keeps a changed one."""
        saved = user.evolve(version=user.version + 1)
        statement = sa.update(users).where(users.c.id == user.id, users.c.version == user.version)
        with inserting("user", user.email):
            changed = await self._session.run(statement.values(saved.__dict__))
        if not changed:
            await self.get(user.id)
            raise StaleVersion.of("user", user.id)
        return saved

    async def link_external(self, issuer: str, subject: str, user_id: UserId) -> None:
        """Notes whom a provider means."""
        row = {"issuer": issuer, "subject": subject, "user_id": user_id}
        with inserting("identity", subject):
            await self._session.run(sa.insert(external_identities).values(row))

    async def unlink_external(self, user_id: UserId) -> None:
        """Forgets whom providers mean."""
        mine = external_identities.c.user_id == user_id
        await self._session.run(sa.delete(external_identities).where(mine))

    async def delete(self, user_id: UserId) -> None:
        """Removes one with what only they have."""
        try:
            gone = await self._session.run(sa.delete(users).where(users.c.id == user_id))
        except sa.exc.IntegrityError as error:
            raise Conflict(f"user {user_id} still owns projects") from error
        if not gone:
            raise NotFound.of("user", user_id)

    async def _one(self, statement: sa.Select[Any]) -> User | None:
        rows = await self._session.rows(statement)
        return _user(rows[0]) if rows else None


class SqlApiTokenRepository:
    """Keeps the port :class:`tracker.ports.identity.ApiTokenRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, token_id: ApiTokenId) -> ApiToken:
        """The token."""
        found = await self._session.find(_TOKEN_BY_ID, token_id)
        if found is None:
            raise NotFound.of("API token", token_id)
        return found

    async def of_user(self, user_id: UserId) -> tuple[ApiToken, ...]:
        """A user's."""
        mine = api_tokens.c.user_id == user_id
        statement = sa.select(api_tokens).where(mine).order_by(api_tokens.c.created_at, api_tokens.c.id)
        return tuple(map(_api_token, await self._session.rows(statement)))

    async def add(self, token: ApiToken) -> None:
        """Keeps a new one."""
        with inserting("API token", token.id):
            await self._session.run(sa.insert(api_tokens).values(_token_columns(token)))

    async def save(self, token: ApiToken) -> None:
        """Keeps a changed one."""
        columns = _token_columns(token)
        del columns["last_used_at"]
        statement = sa.update(api_tokens).where(api_tokens.c.id == token.id).values(columns)
        if not await self._session.run(statement):
            raise NotFound.of("API token", token.id)

    async def note_use(self, token_id: ApiTokenId, at: datetime) -> None:
        """Notes a later use."""
        noted = api_tokens.c.last_used_at
        statement = sa.update(api_tokens).where(
            api_tokens.c.id == token_id, sa.or_(noted.is_(None), noted < at)
        )
        await self._session.run(statement.values(last_used_at=at).execution_options(changes_standings=False))


class SqlCodeRepository:
    """Keeps the port :class:`tracker.ports.identity.CodeRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, code_id: CodeId) -> OneTimeCode:
        """The code."""
        found = await self._session.find(_CODE_BY_ID, code_id)
        if found is None:
            raise NotFound.of("code", code_id)
        return found

    async def latest(self, purpose: Purpose) -> OneTimeCode | None:
        """The newest."""
        statement = (
            sa.select(codes)
            .where(codes.c.purpose == purpose.value)
            .order_by(codes.c.created_at.desc(), codes.c.id.desc())
            .limit(1)
        )
        rows = await self._session.rows(statement)
        return _code(rows[0]) if rows else None

    async def replace(self, code: OneTimeCode) -> None:
        """Keeps a new one alone."""
        await self._session.run(
            sa.delete(codes).where(
                codes.c.purpose == code.purpose.value, codes.c.user_id.is_not_distinct_from(code.user_id)
            )
        )
        with inserting("code", code.id):
            await self._session.run(sa.insert(codes).values(_code_columns(code)))

    async def save(self, code: OneTimeCode) -> None:
        """Keeps a changed one."""
        statement = sa.update(codes).where(codes.c.id == code.id).values(_code_columns(code))
        if not await self._session.run(statement):
            raise NotFound.of("code", code.id)

    async def forget(self, user_id: UserId) -> None:
        """Drops a user's."""
        await self._session.run(sa.delete(codes).where(codes.c.user_id == user_id))


def _user(row: Row) -> User:
    return User(**row._mapping)


def api_token_of(columns: Mapping[str, Any]) -> ApiToken:
    """The token that these columns of its table hold."""
    return ApiToken(**{**columns, "scopes": frozenset(map(Action, columns["scopes"]))})


def _api_token(row: Row) -> ApiToken:
    return api_token_of({**row._mapping})


def _token_columns(token: ApiToken) -> dict[str, Any]:
    return {**token.__dict__, "scopes": sorted(token.scopes)}


def _code(row: Row) -> OneTimeCode:
    return OneTimeCode(**{**row._mapping, "purpose": Purpose(row.purpose)})


def _code_columns(code: OneTimeCode) -> dict[str, Any]:
    return {**code.__dict__, "purpose": code.purpose.value}


_BY_ID = Lookup.of_one(sa.select(users), users.c.id, _user)
_TOKEN_BY_ID = Lookup.of_one(sa.select(api_tokens), api_tokens.c.id, _api_token)
_CODE_BY_ID = Lookup.of_one(sa.select(codes), codes.c.id, _code)
