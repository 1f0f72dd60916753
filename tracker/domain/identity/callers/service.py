"""Use cases of knowing who asks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from tracker.domain.errors import NotFound
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.callers.remembered import RememberedActors, RememberedStandings
from tracker.domain.identity.sessions.session import AUDIENCE, Session, token_refused
from tracker.domain.identity.standing import Standing
from tracker.domain.identity.tokens.api_token import PREFIX, parse_api_token
from tracker.domain.ids import ApiTokenId
from tracker.ports.clock import Clock
from tracker.ports.secrets import SignedTokens
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork

__all__ = ["Caller", "CallerService"]


class Caller(NamedTuple):
    """Who showed some credentials.

    Attributes:
        actor: for the services.
        used_token: an API token whose use should be noted, as nobody did for a minute.
    """

    actor: Actor
    used_token: ApiTokenId | None = None


class _Bearer(NamedTuple):
    """What a plain API token says."""

    id: ApiTokenId
    secret: bytes


class CallerService:
    """Tells who shows a session token or an API token.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        tokens: reads session tokens.
    """

    def __init__(self, units: UnitsOfWork, clock: Clock, tokens: SignedTokens) -> None:
        self._units = units
        self._clock = clock
        self._tokens = tokens
        self._actors = RememberedActors()
        self._standings = RememberedStandings()

    async def identify(self, token: str, *, address: str) -> Caller:
        """Whose token this is, in one query, or two where somebody's standing changed.

        Raises:
            Unauthenticated: it does not hold, or its user may do nothing; nobody is told which.
        """
        now, shown = self._clock.now(), (token, address)
        # A text that never held is read before anything is asked: it shall cost no query.
        read = None if shown in self._actors else self._read(token, now)
        async with self._units.reading() as unit:
            changes = await unit.standings.changes()
            actor = self._actors.find(shown, changes, now)
            if actor is not None:
                return Caller(actor)
            read = read or self._read(token, now)
            standing = await self._standing(unit, read, changes, now)
        caller = self._judged(read, standing, now, address)
        self._actors.keep(shown, changes, caller.actor, now)
        return caller

    async def note_use(self, token_id: ApiTokenId) -> None:
        """Notes that an API token was used now."""
        async with self._units.writing() as unit:
            await unit.api_tokens.note_use(token_id, self._clock.now())
            await unit.commit()

    def _read(self, token: str, now: datetime) -> Session | _Bearer:
        if not token.startswith(PREFIX):
            return Session.of_claims(self._tokens.read(AUDIENCE, token, now))
        parsed = parse_api_token(token)
        if parsed is None:
            raise token_refused()
        return _Bearer(*parsed)

    async def _standing(
        self, unit: ReadingUnit, read: Session | _Bearer, changes: int, now: datetime
    ) -> Standing:
        """Where the user stands now: as remembered, while nobody's standing has changed since."""
        key: UUID = read.id if isinstance(read, _Bearer) else read.user_id
        standing = self._standings.find(key, changes, now)
        if standing is None:
            try:
                if isinstance(read, _Bearer):
                    standing = await unit.standings.of_api_token(read.id)
                else:
                    standing = await unit.standings.of_user(read.user_id)
            except NotFound:
                raise token_refused() from None
            self._standings.keep(key, changes, standing, now)
        return standing

    def _judged(self, read: Session | _Bearer, standing: Standing, now: datetime, address: str) -> Caller:
        user, api_token = standing.user, standing.api_token
        if not user.is_active:
            raise token_refused()
        if isinstance(read, Session):
            if read.epoch != user.epoch or read.id in standing.ended_sessions:
                raise token_refused()
            return Caller(_actor(standing, now, address, expires_at=read.expires_at))
        if api_token is None or not api_token.opens(read.secret, now):
            raise token_refused()
        actor = _actor(
            standing, now, address,
            scopes=api_token.scopes, api_token_id=api_token.id, expires_at=api_token.expires_at,
        )  # fmt: skip
        if not api_token.is_use_worth_noting(now):
            return Caller(actor)
        self._standings.note_use(api_token.id, now)
        return Caller(actor, api_token.id)


def _actor(standing: Standing, now: datetime, address: str, **shown: Any) -> Actor:
    user = standing.user
    return Actor(
        user_id=user.id,
        is_superuser=user.is_superuser,
        access=standing.access,
        at=now,
        origin=address,
        **shown,
    )
