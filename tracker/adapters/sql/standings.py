"""Where users stand, in SQL: everything that a request's credentials lead to, in one query.

The user, their roles, grants and ended sessions are rows of one union, told apart by a letter; a
query asks for the rows of many users at once. For an API token the same union is joined to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.identity import api_token_of
from tracker.adapters.sql.identity_tables import (
    api_tokens,
    ended_sessions,
    grants,
    project_members,
    standing_changes,
    team_members,
    users,
)
from tracker.adapters.sql.permissions import grant_of
from tracker.adapters.sql.session import Keyed, Lookup, Row, Session
from tracker.adapters.sql.types import UtcDateTime
from tracker.adapters.sql.upserting import insert_into
from tracker.domain.errors import NotFound
from tracker.domain.identity.accounts.user import User
from tracker.domain.identity.actor import Access
from tracker.domain.identity.permissions.grant import Grant
from tracker.domain.identity.roles import Role
from tracker.domain.identity.sessions.session import Session as UserSession
from tracker.domain.identity.standing import Standing
from tracker.domain.identity.tokens.api_token import ApiToken
from tracker.domain.ids import ApiTokenId, UserId

__all__ = ["SqlStandingRepository"]

_USER = users.c
_TOKEN = api_tokens.c


class SqlStandingRepository:
    """Keeps the port :class:`tracker.ports.identity.StandingRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def changes(self) -> int:
        """How often standings have changed; many who ask at once share one query."""
        return await self._session.find(_CHANGES, 1, _EVERYBODY) or 0

    async def of_user(self, user_id: UserId) -> Standing:
        """Where a user stands."""
        found = await self._session.find(_OF_USER, user_id)
        if found is None:
            raise NotFound.of("user", user_id)
        return found

    async def of_api_token(self, token_id: ApiTokenId) -> Standing:
        """Where a token's user stands."""
        found = await self._session.find(_OF_API_TOKEN, token_id)
        if found is None:
            raise NotFound.of("API token", token_id)
        return found

    async def end_session(self, session: UserSession) -> None:
        """Notes an early end."""
        row = {"id": session.id, "user_id": session.user_id, "expires_at": session.expires_at}
        with inserting("session", session.id):
            await self._session.run(
                insert_into(ended_sessions, self._session.dialect).values(row).on_conflict_do_nothing()
            )

    async def forget_sessions(self, before: datetime) -> None:
        """Drops those that have run out."""
        await self._session.run(sa.delete(ended_sessions).where(ended_sessions.c.expires_at < before))


def _facts(users_asked: Keyed) -> sa.Subquery:
    """What users were given, a row each. The first part of the union has a value in every column, since
    it gives them their types."""
    word, nowhere = sa.cast(sa.null(), sa.Text), sa.cast(sa.null(), sa.Uuid)
    never = sa.cast(sa.null(), UtcDateTime)
    rest = (word, nowhere, nowhere, never, nowhere, never)
    g, t, p, s = grants.c, team_members.c, project_members.c, ended_sessions.c
    parts = (
        sa.select(
            g.user_id, sa.literal("g").label("letter"), g.id.label("ref"), g.action.label("word"), g.effect,
            g.project_id, g.team_id, g.until, g.granted_by, g.created_at,
        ).where(users_asked(g.user_id)),
        sa.select(t.user_id, sa.literal("t"), t.team_id, t.role, *rest).where(users_asked(t.user_id)),
        sa.select(p.user_id, sa.literal("p"), p.project_id, p.role, *rest).where(users_asked(p.user_id)),
        sa.select(s.user_id, sa.literal("s"), s.id, word, *rest).where(users_asked(s.user_id)),
    )  # fmt: skip
    return sa.union_all(*parts).subquery("facts")


def _of_users(keyed: Keyed) -> sa.Select[Any]:
    facts = _facts(keyed)
    columns = (*_prefixed("user", users), *_prefixed("fact", facts))
    joined = users.outerjoin(facts, facts.c.user_id == _USER.id)
    return sa.select(_USER.id.label("id"), *columns).select_from(joined).where(keyed(_USER.id))


def _of_api_tokens(keyed: Keyed) -> sa.Select[Any]:
    asked = sa.select(_TOKEN.user_id).where(keyed(_TOKEN.id))
    facts = _facts(lambda user_id: user_id.in_(asked))
    columns = (*_prefixed("token", api_tokens), *_prefixed("user", users), *_prefixed("fact", facts))
    joined = api_tokens.join(users).outerjoin(facts, facts.c.user_id == _USER.id)
    return sa.select(_TOKEN.id.label("id"), *columns).select_from(joined).where(keyed(_TOKEN.id))


def _prefixed(prefix: str, table: sa.FromClause) -> list[sa.Label[Any]]:
    return [column.label(f"{prefix}_{column.key}") for column in table.c]


def _standing(rows: Sequence[Row], api_token: ApiToken | None = None) -> Standing:
    facts = [row for row in rows if row.fact_letter is not None]
    access = Access(
        teams={row.fact_ref: Role(row.fact_word) for row in facts if row.fact_letter == "t"},
        projects={row.fact_ref: Role(row.fact_word) for row in facts if row.fact_letter == "p"},
        grants=tuple(
            sorted(
                (_grant(row) for row in facts if row.fact_letter == "g"),
                key=lambda grant: (grant.created_at, grant.id),
            )
        ),
    )
    ended = frozenset(row.fact_ref for row in facts if row.fact_letter == "s")
    user = User(**_unprefixed("user", users, rows[0]))
    return Standing(user=user, access=access, ended_sessions=ended, api_token=api_token)


def _standing_with_token(rows: Sequence[Row]) -> Standing:
    return _standing(rows, api_token_of(_unprefixed("token", api_tokens, rows[0])))


def _unprefixed(prefix: str, table: sa.Table, row: Row) -> dict[str, Any]:
    return {column.key: row._mapping[f"{prefix}_{column.key}"] for column in table.c}


def _grant(row: Row) -> Grant:
    columns = {name: row._mapping[f"fact_{name}"] for name in _GRANT_COLUMNS}
    return grant_of({**columns, "id": row.fact_ref, "action": row.fact_word})


_GRANT_COLUMNS = ("user_id", "effect", "project_id", "team_id", "until", "granted_by", "created_at")
_EVERYBODY = UUID(int=0)  # in no user's name: the number is no secret
_CHANGES = Lookup(
    lambda keyed: sa.select(standing_changes).where(keyed(standing_changes.c.id)),
    lambda rows: int(rows[0].changes),
    locks=False,
)
_OF_USER = Lookup(_of_users, _standing, locks=False)
_OF_API_TOKEN = Lookup(_of_api_tokens, _standing_with_token, locks=False)
