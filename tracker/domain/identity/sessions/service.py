"""Use cases of logging in, and of knowing who asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from tracker.domain.errors import BadCredentials, NotFound, StaleVersion, Unauthenticated
from tracker.domain.identity.accounts.user import User, normalized_email
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.attempts.service import AttemptService, Try
from tracker.domain.identity.audit.entry import Outcome
from tracker.domain.identity.audit.service import record
from tracker.domain.identity.rules import IdentityRules
from tracker.domain.identity.sessions.remembered import RememberedActors, RememberedStandings
from tracker.domain.identity.sessions.session import Session
from tracker.domain.identity.standing import Standing
from tracker.domain.identity.tokens.api_token import PREFIX, parse_api_token
from tracker.domain.ids import ApiTokenId, SessionId, UserId
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.passwords import PasswordHasher
from tracker.ports.secrets import SignedTokens
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork

__all__ = ["Caller", "SessionService"]

_AUDIENCE = "session"
Id = TypeVar("Id", bound=UUID)


class Caller(NamedTuple):
    """Who showed some credentials.

    Attributes:
        actor: for the services.
        used_token: an API token whose use should be noted, as nobody did for a minute.
    """

    actor: Actor
    used_token: ApiTokenId | None = None


class _Question(NamedTuple):
    """Who asks? The number of changes is there if it had to be known before."""

    unit: ReadingUnit
    changes: int | None
    now: datetime


class SessionService:
    """Logs people in and out, and tells who shows a token.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ids: names sessions.
        passwords: checks passwords.
        tokens: signs and reads session tokens.
        attempts: counts logins.
        rules: of this installation.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        clock: Clock,
        ids: IdGenerator,
        *,
        passwords: PasswordHasher,
        tokens: SignedTokens,
        attempts: AttemptService,
        rules: IdentityRules,
    ) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids
        self._passwords = passwords
        self._tokens = tokens
        self._attempts = attempts
        self._rules = rules
        self._actors = RememberedActors()
        self._standings = RememberedStandings()

    async def login(self, email: str, password: str, *, address: str) -> str:
        """A session token for who knows the password.

        It takes as long for an address that nobody has as for a wrong password, and says the same.

        Raises:
            BadCredentials: the address or the password is wrong, or the user is not active.
            TooManyRequests: there were too many failures for this account or from this address.
        """
        email = normalized_email(email)
        await self._attempts.spend(Try.LOGIN, address=address, account=email)
        async with self._units.reading() as unit:
            user = await unit.users.find_by_email(email)
        known = await self._passwords.verify(password, None if user is None else user.password_hash)
        if user is None or not known or not user.is_active:
            await self._note_refusal(user, address)
            raise BadCredentials
        await self._attempts.refund(Try.LOGIN, address=address, account=email)
        if user.password_hash is not None and self._passwords.is_outdated(user.password_hash):
            user = await self._rehashed(user, password)
        return await self.open(user, address=address, how="password")

    async def open(self, user: User, *, address: str, how: str) -> str:
        """A session token for a user who has proved to be that.

        Args:
            user: who.
            address: from where.
            how: they proved it, for the audit log.
        """
        now = self._clock.now()
        session = Session(
            id=SessionId(self._ids.new()),
            user_id=user.id,
            epoch=user.epoch,
            expires_at=now + self._rules.session_length,
        )
        async with self._units.writing() as unit:
            actor = Actor(user_id=user.id, origin=address)
            await record(unit, actor, "session.login", "user", user.id, at=now, how=how)
            await unit.commit()
        claims: dict[str, str | int] = {"sub": str(user.id), "sid": str(session.id), "epoch": user.epoch}
        return self._tokens.sign(_AUDIENCE, claims, session.expires_at)

    async def logout(self, actor: Actor, token: str) -> None:
        """Ends the session of this token for good; an API token is no session and stays.

        Raises:
            Unauthenticated: the token does not hold.
        """
        if token.startswith(PREFIX):
            return
        now = self._clock.now()
        session = self._session(token, now)
        async with self._units.writing() as unit:
            await unit.standings.end_session(session)
            await unit.standings.forget_sessions(now)
            await record(unit, actor, "session.logout", "user", session.user_id, at=now)
            await unit.commit()

    async def caller(self, token: str, *, address: str) -> Caller:
        """Who shows this session token or API token, in one query, or two where somebody's standing changed.

        Raises:
            Unauthenticated: it does not hold, or its user may do nothing; nobody is told which.
        """
        now = self._clock.now()
        shown = token, address
        changes = None
        async with self._units.reading() as unit:
            if shown in self._actors:  # a text that never held costs no query before it is parsed
                changes = await unit.standings.changes()
                actor = self._actors.find(shown, changes, now)
                if actor is not None:
                    return Caller(actor)
            judged = self._bearer if token.startswith(PREFIX) else self._in_session
            changes, caller = await judged(_Question(unit, changes, now), token, address)
        self._actors.keep(shown, changes, caller.actor, now)
        return caller

    async def note_use(self, token_id: ApiTokenId) -> None:
        """Notes that an API token was used now."""
        async with self._units.writing() as unit:
            await unit.api_tokens.note_use(token_id, self._clock.now())
            await unit.commit()

    async def _in_session(self, asked: _Question, token: str, address: str) -> tuple[int, Caller]:
        session = self._session(token, asked.now)
        changes, standing = await self._standing(asked, session.user_id, asked.unit.standings.of_user)
        user = standing.user
        if not user.is_active or session.epoch != user.epoch or session.id in standing.ended_sessions:
            raise _refused()
        return changes, Caller(_actor(standing, asked.now, address, expires_at=session.expires_at))

    async def _bearer(self, asked: _Question, token: str, address: str) -> tuple[int, Caller]:
        parsed = parse_api_token(token)
        if parsed is None:
            raise _refused()
        token_id, secret = parsed
        changes, standing = await self._standing(asked, token_id, asked.unit.standings.of_api_token)
        api_token = standing.api_token
        if api_token is None or not api_token.opens(secret, asked.now) or not standing.user.is_active:
            raise _refused()
        actor = _actor(
            standing, asked.now, address,
            scopes=api_token.scopes, api_token_id=api_token.id, expires_at=api_token.expires_at,
        )  # fmt: skip
        if not api_token.is_use_worth_noting(asked.now):
            return changes, Caller(actor)
        self._standings.note_use(token_id, asked.now)
        return changes, Caller(actor, token_id)

    async def _standing(
        self, asked: _Question, key: Id, look_up: Callable[[Id], Awaitable[Standing]]
    ) -> tuple[int, Standing]:
        """Where the user stands now, as remembered while nobody's standing has changed, and that number."""
        unit, changes, now = asked
        if changes is None:
            changes = await unit.standings.changes()
        standing = self._standings.find(key, changes, now)
        if standing is None:
            try:
                standing = await look_up(key)
            except NotFound:
                raise _refused() from None
            self._standings.keep(key, changes, standing, now)
        return changes, standing

    def _session(self, token: str, now: datetime) -> Session:
        claims = self._tokens.read(_AUDIENCE, token, now)
        try:
            return Session(
                id=SessionId(UUID(str(claims["sid"]))),
                user_id=UserId(UUID(str(claims["sub"]))),
                epoch=int(claims["epoch"]),
                expires_at=datetime.fromtimestamp(int(claims["exp"]), now.tzinfo),
            )
        except (KeyError, ValueError) as error:
            raise _refused() from error

    async def _rehashed(self, user: User, password: str) -> User:
        """The user with the same password under today's parameters; their sessions stay."""
        changed = user.evolve(password_hash=await self._passwords.hash(password))
        try:
            async with self._units.writing() as unit:
                saved = await unit.users.save(changed)
                await unit.commit()
        except StaleVersion:  # another login did it, or the user has just changed: the session will tell
            return user
        return saved

    async def _note_refusal(self, user: User | None, address: str) -> None:
        """For a stranger too, so that both take the same time."""
        key = "unknown" if user is None else user.id
        async with self._units.writing() as unit:
            await record(
                unit, None, "session.login", "user", key,
                at=self._clock.now(), origin=address, outcome=Outcome.REFUSED,
            )  # fmt: skip
            await unit.commit()


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


def _refused() -> Unauthenticated:
    return Unauthenticated("the token is not valid, has run out or was revoked; log in again")
