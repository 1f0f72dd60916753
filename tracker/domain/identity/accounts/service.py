"""Use cases of accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.domain.errors import AlreadyExists, AlreadyRegistered, Conflict, Forbidden, Invalid
from tracker.domain.identity.accounts.user import User, check_password, normalized_email
from tracker.domain.identity.actor import LOCAL_USER, Actor
from tracker.domain.identity.attempts.service import AttemptService, Try
from tracker.domain.identity.audit.service import record
from tracker.domain.identity.rules import IdentityRules
from tracker.domain.ids import UserId
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.passwords import PasswordHasher
from tracker.ports.unit_of_work import UnitsOfWork, WritingUnit

__all__ = ["AccountService", "require_another_administrator", "require_person", "require_superuser"]

_OWN_FIELDS = frozenset({"display_name", "avatar_url", "email", "password"})
_GUARDED_FIELDS = frozenset({"email", "password"})
_ADMIN_FIELDS = frozenset({"display_name", "is_active", "is_superuser", "is_verified", "password"})


def require_superuser(actor: Actor) -> None:
    """Lets pass who administers the installation, in person.

    Raises:
        Forbidden: they do not, or it is an API token.
    """
    if not actor.is_superuser:
        raise Forbidden("this is for administrators of the installation")
    require_person(actor)


def require_person(actor: Actor) -> None:
    """Lets pass who logged in: no API token may change how its user proves who they are.

    Raises:
        Forbidden: it is an API token.
    """
    if actor.api_token_id is not None:
        raise Forbidden("this needs a login; an API token cannot do it (run: tracker login URL --session)")


class AccountService:
    """Makes users, changes them, lists them.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ids: names users.
        passwords: hashes passwords.
        attempts: counts registrations.
        rules: of this installation.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        clock: Clock,
        ids: IdGenerator,
        *,
        passwords: PasswordHasher,
        attempts: AttemptService,
        rules: IdentityRules,
    ) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids
        self._passwords = passwords
        self._attempts = attempts
        self._rules = rules

    async def register(
        self, email: str, password: str, *, display_name: str | None = None, address: str
    ) -> User:
        """A new user who made the account themselves.

        That an address is taken is told, since clients of this API rely on it; it takes as long as
        a registration and counts like one.

        Raises:
            Forbidden: registration is closed.
            AlreadyRegistered: the address is taken.
            Invalid: a field breaks a rule.
            TooManyRequests: there were too many from this address.
        """
        if not self._rules.registration_open:
            raise Forbidden("registration is closed; ask an administrator for an account")
        await self._attempts.spend(Try.REGISTER, address=address)
        user = await self._new(email, password, display_name)
        async with self._units.writing() as unit:
            await _add(unit, user)
            actor = Actor(user_id=user.id, origin=address)
            await record(unit, actor, "user.register", "user", user.id, at=user.created_at)
            await unit.commit()
        return user

    async def create(
        self,
        actor: Actor,
        email: str,
        password: str | None,
        *,
        display_name: str | None = None,
        is_superuser: bool = False,
    ) -> User:
        """A new user whom an administrator makes; without a password they can sign in elsewhere only.

        Raises:
            Forbidden: `actor` is no administrator.
            AlreadyRegistered: the address is taken.
            Invalid: a field breaks a rule.
        """
        require_superuser(actor)
        user = await self._new(email, password, display_name, is_superuser=is_superuser, is_verified=True)
        async with self._units.writing() as unit:
            await _add(unit, user)
            await record(
                unit, actor, "user.create", "user", user.id, at=user.created_at, superuser=is_superuser
            )
            await unit.commit()
        return user

    async def me(self, actor: Actor) -> User:
        """The actor's own account."""
        async with self._units.reading() as unit:
            return await unit.users.get(actor.user_id)

    async def edit_me(self, actor: Actor, *, current_password: str | None = None, **changes: Any) -> User:
        """The actor's account after changes to their name, picture, address or password.

        A new password ends all sessions.

        Raises:
            Forbidden: it is an API token, or the current password is wrong.
            Invalid: a change breaks a rule, or the current password is needed and missing.
            AlreadyRegistered: the address is taken.
            TooManyRequests: the current password was wrong too often.
        """
        require_person(actor)
        for field in changes.keys() - _OWN_FIELDS:
            raise Invalid.field(field, "cannot be changed")
        user = await self.me(actor)
        if changes.keys() & _GUARDED_FIELDS:
            await self._check_current(actor, user, current_password)
        if "email" in changes:
            changes |= {"email": normalized_email(changes["email"]), "is_verified": False}
        return await self._save(actor, user, changes)

    async def list(self, actor: Actor) -> tuple[User, ...]:
        """All users. Raises ``Forbidden`` for who is no administrator."""
        require_superuser(actor)
        async with self._units.reading() as unit:
            return await unit.users.list()

    async def get(self, actor: Actor, user_id: UserId) -> User:
        """One user.

        Raises:
            Forbidden: `actor` is neither that user nor an administrator.
            NotFound: there is none.
        """
        if user_id != actor.user_id:
            require_superuser(actor)
        async with self._units.reading() as unit:
            return await unit.users.get(user_id)

    async def edit(self, actor: Actor, user_id: UserId, **changes: Any) -> User:
        """A user after an administrator's changes: activity, rights, name or password.

        Raises:
            Forbidden: `actor` is no administrator.
            NotFound: there is no such user.
            Invalid: a change breaks a rule or names no such field.
            Conflict: there would be no administrator left.
        """
        require_superuser(actor)
        for field in changes.keys() - _ADMIN_FIELDS:
            raise Invalid.field(field, "cannot be changed")
        if user_id == LOCAL_USER and changes.keys() - {"display_name"}:
            raise Conflict("the local user is the one of this machine; only its name can be changed")
        async with self._units.reading() as unit:
            user = await unit.users.get(user_id)
        return await self._save(actor, user, changes)

    async def _save(self, actor: Actor, user: User, changes: Mapping[str, Any]) -> User:
        fields = dict(changes)
        password = fields.pop("password", None)
        changed = user.evolve(**fields)
        if password is not None:
            check_password(password, changed.email)
            changed = changed.with_password(await self._passwords.hash(password))
        if user.is_active and not changed.is_active:
            changed = changed.deactivated()
        async with self._units.writing() as unit:
            if user.is_active and user.is_superuser and not (changed.is_active and changed.is_superuser):
                await require_another_administrator(unit, user)
            try:
                saved = await unit.users.save(changed)
            except AlreadyExists as error:
                raise AlreadyRegistered from error
            if saved.email != user.email or saved.epoch != user.epoch:
                # A letter to the old address must neither set a password here nor prove the new address.
                await unit.codes.forget(user.id)
            names = ", ".join(sorted(changes))
            await record(unit, actor, "user.edit", "user", user.id, at=self._clock.now(), fields=names)
            await unit.commit()
        return saved

    async def _check_current(self, actor: Actor, user: User, current_password: str | None) -> None:
        if user.password_hash is None:
            raise Forbidden("this account has no password; use the link for a forgotten one")
        if current_password is None:
            raise Invalid.field("current_password", "is needed to change the e-mail address or the password")
        await self._attempts.spend(Try.LOGIN, address=actor.origin, account=user.email)
        if not await self._passwords.verify(current_password, user.password_hash):
            raise Forbidden("the current password is wrong")
        await self._attempts.refund(Try.LOGIN, address=actor.origin, account=user.email)

    async def _new(self, email: str, password: str | None, display_name: str | None, **fields: Any) -> User:
        email = normalized_email(email)
        user = User(
            id=UserId(self._ids.new()),
            email=email,
            display_name=display_name or email.partition("@")[0],
            created_at=self._clock.now(),
            **fields,
        )
        if password is None:
            return user
        check_password(password, email)
        return user.evolve(password_hash=await self._passwords.hash(password))


async def _add(unit: WritingUnit, user: User) -> None:
    try:
        await unit.users.add(user)
    except AlreadyExists as error:
        raise AlreadyRegistered from error


async def require_another_administrator(unit: WritingUnit, user: User) -> None:
    """Lets pass the loss of an administrator who is not the last one who can log in.

    Raises:
        Conflict: it is the last one.
    """
    await unit.lock("administrators")
    others = [u for u in await unit.users.list() if u.is_superuser and u.is_active and u.id != user.id]
    if not others:
        raise Conflict("this is the last administrator; make somebody else one first")
