"""Use cases of logging in and out."""

from __future__ import annotations

from tracker.domain.errors import BadCredentials, StaleVersion
from tracker.domain.identity.accounts.user import User, normalized_email
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.attempts.service import AttemptService, Try
from tracker.domain.identity.audit.entry import Outcome
from tracker.domain.identity.audit.service import record
from tracker.domain.identity.rules import IdentityRules
from tracker.domain.identity.sessions.session import AUDIENCE, Session
from tracker.domain.identity.tokens.api_token import PREFIX
from tracker.domain.ids import SessionId
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.passwords import PasswordHasher
from tracker.ports.secrets import SignedTokens
from tracker.ports.unit_of_work import UnitsOfWork

__all__ = ["SessionService"]


class SessionService:
    """Logs people in and out.

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
        return self._tokens.sign(AUDIENCE, session.claims, session.expires_at)

    async def logout(self, actor: Actor, token: str) -> None:
        """Ends the session of this token for good; an API token is no session and stays.

        Raises:
            Unauthenticated: the token does not hold.
        """
        if token.startswith(PREFIX):
            return
        now = self._clock.now()
        session = Session.of_claims(self._tokens.read(AUDIENCE, token, now))
        async with self._units.writing() as unit:
            await unit.standings.end_session(session)
            await unit.standings.forget_sessions(now)
            await record(unit, actor, "session.logout", "user", session.user_id, at=now)
            await unit.commit()

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
