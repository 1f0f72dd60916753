"""Users and how they prove who they are, in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from tracker.adapters.memory.artifacts import forget_uploader
from tracker.adapters.memory.evaluation.forgetting import forget_person
from tracker.adapters.memory.hypotheses import forget_author
from tracker.adapters.memory.state import Current
from tracker.domain.errors import AlreadyExists, Conflict, NotFound, StaleVersion
from tracker.domain.identity.accounts.user import User
from tracker.domain.identity.actor import Access
from tracker.domain.identity.recovery.one_time_code import OneTimeCode, Purpose
from tracker.domain.identity.sessions.session import Session
from tracker.domain.identity.standing import Standing
from tracker.domain.identity.teams.team import ProjectMember, TeamMember
from tracker.domain.identity.tokens.api_token import ApiToken
from tracker.domain.ids import ApiTokenId, CodeId, UserId

__all__ = [
    "MemoryApiTokenRepository", "MemoryCodeRepository", "MemoryStandingRepository", "MemoryUserRepository",
]  # fmt: skip


class MemoryUserRepository:
    """Keeps the port :class:`tracker.ports.identity.UserRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def get(self, user_id: UserId) -> User:
        """The user."""
        try:
            return self._current.state.users[user_id]
        except KeyError as error:
            raise NotFound.of("user", user_id) from error

    async def get_many(self, user_ids: Collection[UserId]) -> Mapping[UserId, User]:
        """Those that exist."""
        users = self._current.state.users
        return {user_id: users[user_id] for user_id in user_ids if user_id in users}

    async def find_by_email(self, email: str) -> User | None:
        """The one with this address."""
        return next((user for user in self._current.state.users.values() if user.email == email), None)

    async def find_external(self, issuer: str, subject: str) -> User | None:
        """The one whom a provider means."""
        user_id = self._current.state.external.get((issuer, subject))
        return None if user_id is None else self._current.state.users[user_id]

    async def list(self) -> tuple[User, ...]:
        """All, oldest first."""
        return tuple(sorted(self._current.state.users.values(), key=lambda user: (user.created_at, user.id)))

    async def add(self, user: User) -> None:
        """Keeps a new one."""
        if user.id in self._current.state.users:
            raise AlreadyExists(f"user {user.id} is there already")
        await self._require_free(user)
        self._current.state.users[user.id] = user

    async def save(self, user: User) -> User:
        """Keeps a changed one."""
        present = await self.get(user.id)
        if present.version != user.version:
            raise StaleVersion.of("user", user.id)
        await self._require_free(user)
        saved = user.evolve(version=user.version + 1)
        self._current.state.users[user.id] = saved
        return saved

    async def link_external(self, issuer: str, subject: str, user_id: UserId) -> None:
        """Notes whom a provider means."""
        if (issuer, subject) in self._current.state.external:
            raise AlreadyExists(f"identity {subject} is there already")
        await self.get(user_id)
        self._current.state.external[issuer, subject] = user_id

    async def unlink_external(self, user_id: UserId) -> None:
        """Forgets whom providers mean."""
        state = self._current.state
        state.external = {key: user for key, user in state.external.items() if user != user_id}

    async def delete(self, user_id: UserId) -> None:
        """Removes one with what only they have."""
        await self.get(user_id)
        state = self._current.state
        if any(project.owner_id == user_id for project in state.projects.values()):
            raise Conflict(f"user {user_id} still owns projects")
        del state.users[user_id]
        for run in [run for run in state.experiments.values() if run.created_by == user_id]:
            state.experiments[run.id] = run.evolve(created_by=None)
        await self.unlink_external(user_id)
        forget_author(state, user_id)
        forget_uploader(state, user_id)
        forget_person(state, user_id)
        state.ended_sessions = {k: s for k, s in state.ended_sessions.items() if s.user_id != user_id}
        state.api_tokens = {k: t for k, t in state.api_tokens.items() if t.user_id != user_id}
        state.codes = {k: c for k, c in state.codes.items() if c.user_id != user_id}
        state.members = {k: m for k, m in state.members.items() if m.user_id != user_id}
        state.saved_queries = {
            key: query.evolve(author_id=None) if query.author_id == user_id else query
            for key, query in state.saved_queries.items()
        }
        state.grants = {
            key: grant.evolve(granted_by=None) if grant.granted_by == user_id else grant
            for key, grant in state.grants.items()
            if grant.user_id != user_id
        }

    async def _require_free(self, user: User) -> None:
        other = await self.find_by_email(user.email)
        if other is not None and other.id != user.id:
            raise AlreadyExists(f"user {user.email} is there already")


class MemoryStandingRepository:
    """Keeps the port :class:`tracker.ports.identity.StandingRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def changes(self) -> int:
        """How often standings have changed."""
        return self._current.state.counters["standings"]

    async def of_user(self, user_id: UserId) -> Standing:
        """Where a user stands."""
        state = self._current.state
        if user_id not in state.users:
            raise NotFound.of("user", user_id)
        places = [member for member in state.members.values() if member.user_id == user_id]
        access = Access(
            teams={place.team_id: place.role for place in places if isinstance(place, TeamMember)},
            projects={place.project_id: place.role for place in places if isinstance(place, ProjectMember)},
            grants=tuple(
                sorted(
                    (grant for grant in state.grants.values() if grant.user_id == user_id),
                    key=lambda grant: (grant.created_at, grant.id),
                )
            ),
        )
        ended = frozenset(s.id for s in state.ended_sessions.values() if s.user_id == user_id)
        return Standing(user=state.users[user_id], access=access, ended_sessions=ended)

    async def of_api_token(self, token_id: ApiTokenId) -> Standing:
        """Where a token's user stands."""
        token = self._current.state.api_tokens.get(token_id)
        if token is None:
            raise NotFound.of("API token", token_id)
        return (await self.of_user(token.user_id)).evolve(api_token=token)

    async def end_session(self, session: Session) -> None:
        """Notes an early end."""
        state = self._current.state
        if session.user_id not in state.users:
            raise NotFound.of("user", session.user_id)
        state.ended_sessions.setdefault(session.id, session)

    async def forget_sessions(self, before: datetime) -> None:
        """Drops those that have run out."""
        state = self._current.state
        state.ended_sessions = {k: s for k, s in state.ended_sessions.items() if s.expires_at >= before}


class MemoryApiTokenRepository:
    """Keeps the port :class:`tracker.ports.identity.ApiTokenRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def get(self, token_id: ApiTokenId) -> ApiToken:
        """The token."""
        try:
            return self._current.state.api_tokens[token_id]
        except KeyError as error:
            raise NotFound.of("API token", token_id) from error

    async def of_user(self, user_id: UserId) -> tuple[ApiToken, ...]:
        """A user's."""
        found = (token for token in self._current.state.api_tokens.values() if token.user_id == user_id)
        return tuple(sorted(found, key=lambda token: (token.created_at, token.id)))

    async def add(self, token: ApiToken) -> None:
        """Keeps a new one."""
        if token.id in self._current.state.api_tokens:
            raise AlreadyExists(f"API token {token.id} is there already")
        if token.user_id not in self._current.state.users:
            raise NotFound.of("user", token.user_id)
        self._current.state.api_tokens[token.id] = token

    async def save(self, token: ApiToken) -> None:
        """Keeps a changed one."""
        present = await self.get(token.id)
        self._current.state.api_tokens[token.id] = token.evolve(last_used_at=present.last_used_at)

    async def note_use(self, token_id: ApiTokenId, at: datetime) -> None:
        """Notes a later use."""
        token = self._current.state.api_tokens.get(token_id)
        if token is not None and (token.last_used_at is None or token.last_used_at < at):
            self._current.state.api_tokens[token_id] = token.evolve(last_used_at=at)


class MemoryCodeRepository:
    """Keeps the port :class:`tracker.ports.identity.CodeRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def get(self, code_id: CodeId) -> OneTimeCode:
        """The code."""
        try:
            return self._current.state.codes[code_id]
        except KeyError as error:
            raise NotFound.of("code", code_id) from error

    async def latest(self, purpose: Purpose) -> OneTimeCode | None:
        """The newest."""
        found = (code for code in self._current.state.codes.values() if code.purpose is purpose)
        return max(found, key=lambda code: (code.created_at, code.id), default=None)

    async def replace(self, code: OneTimeCode) -> None:
        """Keeps a new one alone."""
        state = self._current.state
        if code.user_id is not None and code.user_id not in state.users:
            raise NotFound.of("user", code.user_id)
        same = (code.purpose, code.user_id)
        state.codes = {k: c for k, c in state.codes.items() if (c.purpose, c.user_id) != same}
        state.codes[code.id] = code

    async def save(self, code: OneTimeCode) -> None:
        """Keeps a changed one."""
        await self.get(code.id)
        self._current.state.codes[code.id] = code

    async def forget(self, user_id: UserId) -> None:
        """Drops a user's."""
        state = self._current.state
        state.codes = {key: code for key, code in state.codes.items() if code.user_id != user_id}
