"""Use cases of one-time codes: a forgotten password, and the first administrator."""

from __future__ import annotations

from datetime import datetime, timedelta

from tracker.domain.errors import AlreadyExists, AlreadyRegistered, BadCode, Conflict, NotFound
from tracker.domain.identity.accounts.user import User, check_password, normalized_email
from tracker.domain.identity.actor import LOCAL_USER, Actor
from tracker.domain.identity.attempts.service import AttemptService, Try
from tracker.domain.identity.audit.entry import Outcome
from tracker.domain.identity.audit.service import record
from tracker.domain.identity.recovery.one_time_code import OneTimeCode, Purpose
from tracker.domain.identity.rules import IdentityRules
from tracker.domain.identity.secret import SECRET_BYTES, parse_secret, secret_hash, secret_text
from tracker.domain.ids import CodeId, UserId
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.mail import Mailer
from tracker.ports.passwords import PasswordHasher
from tracker.ports.secrets import SecretSource
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork, WritingUnit

__all__ = ["RecoveryService"]

# The processes of one server start together; only the first of them makes a code.
_STARTING_TOGETHER = timedelta(minutes=1)


class RecoveryService:
    """Lets people in who cannot log in: with a code from a letter, or from the server's terminal.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ids: names codes and users.
        passwords: hashes passwords.
        secrets: makes codes.
        mailer: sends them.
        attempts: counts requests and wrong codes.
        rules: of this installation.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        clock: Clock,
        ids: IdGenerator,
        *,
        passwords: PasswordHasher,
        secrets: SecretSource,
        mailer: Mailer,
        attempts: AttemptService,
        rules: IdentityRules,
    ) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids
        self._passwords = passwords
        self._secrets = secrets
        self._mailer = mailer
        self._attempts = attempts
        self._rules = rules

    async def count_request(self, email: str, *, address: str) -> None:
        """Counts a request for a letter; to be called before the request is answered.

        Raises:
            TooManyRequests: there were too many for this account or from this address.
        """
        await self._attempts.spend(Try.RESET, address=address, account=normalized_email(email))

    async def send_letter(self, email: str, *, address: str) -> None:
        """Sends a code to a user with this e-mail, if there is one; to be called after the answer, so
        that nobody can tell from its time whether there is.

        Raises:
            Unavailable: the letter cannot be sent.
        """
        email = normalized_email(email)
        async with self._units.writing() as unit:
            user = await _user_at(unit, email)
            if user is None or not user.is_active:
                # Noted like a login: and whoever asks again at once is not kept waiting less.
                await record(
                    unit, None, "password.reset.request", "user", "unknown" if user is None else user.id,
                    at=self._clock.now(), origin=address, outcome=Outcome.REFUSED,
                )  # fmt: skip
                await unit.commit()
                return
            code, text = self._code(Purpose.RESET_PASSWORD, user.id)
            await unit.codes.replace(code)
            actor = Actor(user_id=user.id, origin=address)
            await record(unit, actor, "password.reset.request", "user", user.id, at=code.created_at)
            await unit.commit()
        await self._mailer.send(user.email, "Set a new password for tracker", self._letter(user, text))

    async def reset(self, code: str, password: str, *, address: str) -> None:
        """Sets a password with a code from a letter; all sessions end.

        Raises:
            BadCode: the code is unknown, used or has run out.
            Invalid: the password breaks a rule; the code can still be used.
            TooManyRequests: there were too many wrong codes from this address.
        """
        await self._attempts.spend(Try.CODE, address=address)
        async with self._units.reading() as unit:
            found = await self._opened(unit, code, Purpose.RESET_PASSWORD)
            user = await unit.users.get(_user_of(found))
        check_password(password, user.email)
        hashed = await self._passwords.hash(password)
        now = self._clock.now()
        async with self._units.writing() as unit:
            await self._use(unit, code, Purpose.RESET_PASSWORD, now)
            # Who reads the letters of an address owns it.
            changed = (await unit.users.get(user.id)).with_password(hashed).evolve(is_verified=True)
            await unit.users.save(changed)
            await record(
                unit, Actor(user_id=user.id, origin=address), "password.reset", "user", user.id, at=now
            )
            await unit.commit()
        await self._attempts.refund(Try.CODE, address=address)

    async def setup_code(self) -> str | None:
        """A new code with which the first administrator is made, in place of an older one; ``None``
        when there is an administrator, or another process made one within the last minute."""
        code, text = self._code(Purpose.SETUP, None)
        async with self._units.writing() as unit:
            await unit.lock("administrators")
            if await _has_administrator(unit):
                return None
            last = await unit.codes.latest(Purpose.SETUP)
            if last is not None and code.created_at - last.created_at < _STARTING_TOGETHER:
                return None
            await unit.codes.replace(code)
            await unit.commit()
        return text

    async def set_up(
        self, code: str, email: str, password: str, *, display_name: str | None = None, address: str
    ) -> User:
        """Makes the first administrator.

        Raises:
            BadCode: the code is unknown, used or has run out.
            Conflict: there is an administrator already.
            AlreadyRegistered: the address is taken.
            Invalid: a field breaks a rule; the code can still be used.
            TooManyRequests: there were too many wrong codes from this address.
        """
        await self._attempts.spend(Try.CODE, address=address)
        email = normalized_email(email)
        async with self._units.reading() as unit:
            try:
                await self._opened(unit, code, Purpose.SETUP)
            except BadCode:
                raise BadCode(
                    "the code is unknown, used or has run out; restart the server for another"
                ) from None
        now = self._clock.now()
        user = User(
            id=UserId(self._ids.new()), email=email, display_name=display_name or email.partition("@")[0],
            is_superuser=True, is_verified=True, created_at=now,
        )  # fmt: skip
        check_password(password, email)
        user = user.evolve(password_hash=await self._passwords.hash(password))
        async with self._units.writing() as unit:
            await unit.lock("administrators")
            await self._use(unit, code, Purpose.SETUP, now)
            if await _has_administrator(unit):
                raise Conflict("there is an administrator already")
            try:
                await unit.users.add(user)
            except AlreadyExists as error:
                raise AlreadyRegistered from error
            await record(unit, Actor(user_id=user.id, origin=address), "setup", "user", user.id, at=now)
            await unit.commit()
        await self._attempts.refund(Try.CODE, address=address)
        return user

    def _code(self, purpose: Purpose, user_id: UserId | None) -> tuple[OneTimeCode, str]:
        key, secret, now = CodeId(self._ids.new()), self._secrets.new(SECRET_BYTES), self._clock.now()
        code = OneTimeCode(
            id=key, purpose=purpose, user_id=user_id, digest=secret_hash(secret),
            created_at=now, expires_at=now + self._rules.code_length,
        )  # fmt: skip
        return code, secret_text(key, secret)

    async def _opened(self, unit: ReadingUnit, text: str, purpose: Purpose) -> OneTimeCode:
        parsed = parse_secret(text.strip())
        if parsed is None:
            raise BadCode
        try:
            code = await unit.codes.get(CodeId(parsed[0]))
        except NotFound:
            raise BadCode from None
        if not code.opens(purpose, parsed[1], self._clock.now()):
            raise BadCode
        return code

    async def _use(self, unit: WritingUnit, text: str, purpose: Purpose, now: datetime) -> None:
        """Takes the code, which somebody else may have used since it was looked at."""
        await unit.codes.save((await self._opened(unit, text, purpose)).used(now))

    def _letter(self, user: User, code: str) -> str:
        where = f"\n{self._rules.public_url.rstrip('/')}/reset-password\n" if self._rules.public_url else ""
        hours = self._rules.code_length // timedelta(hours=1)
        return (
            f"Hello {user.display_name},\n\nsomebody, probably you, wants to set a new password for "
            f"{user.email}.{where}\nThis code lets you, once, within {hours} hours:\n\n    {code}\n\n"
            "If it was not you, there is nothing to do.\n"
        )


def _user_of(code: OneTimeCode) -> UserId:
    if code.user_id is None:
        raise BadCode
    return code.user_id


async def _user_at(unit: WritingUnit, email: str) -> User | None:
    """Who can have letters at this address."""
    found = await unit.users.find_by_email(email)
    if found is None or found.id == LOCAL_USER:
        return None
    user = await unit.users.get(found.id)  # locked: the address must still be theirs at the commit
    return user if user.email == email else None


async def _has_administrator(unit: ReadingUnit) -> bool:
    return any(user.is_superuser and user.is_active for user in await unit.users.list())
