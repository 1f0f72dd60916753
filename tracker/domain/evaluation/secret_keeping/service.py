"""Use cases of secrets. No value is ever part of an answer, an error, a log or the audit log."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from tracker.domain.errors import Invalid, Problem, Unavailable
from tracker.domain.evaluation.refusals import MISSING_SECRET
from tracker.domain.evaluation.secrets import PlainSecret, SealedSecret, Secret, SecretName
from tracker.domain.identity.accounts.service import require_superuser
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.audit.service import record
from tracker.domain.identity.policy import Action, require_scopes
from tracker.domain.ids import UserId
from tracker.ports.clock import Clock
from tracker.ports.evaluation.secrets import SecretsBox
from tracker.ports.unit_of_work import UnitsOfWork, WritingUnit

__all__ = ["SECRET_KEYS", "Rotation", "SecretService"]

SECRET_KEYS = "secret-keys"  # noqa: S105 - not a secret
"""The lock that is held while values are sealed, and while keys are dropped."""

_BATCH = 100
_NAME: TypeAdapter[str] = TypeAdapter(SecretName)


class Rotation(NamedTuple):
    """What a rotation did.

    Attributes:
        key_id: of the key that seals everything now.
        resealed: values that were sealed anew.
        unreadable: names of secrets that no key opened. They stay as they are, and so do all keys.
        dropped: older keys that are gone.
    """

    key_id: str
    resealed: int
    unreadable: tuple[str, ...]
    dropped: int


class SecretService:
    """Keeps secrets of users and opens them for their jobs.

    Whatever seals does so, and is committed, under one lock, and looks the present key up under it. So when a
    rotation finds under that lock that nothing is sealed by an older key, nothing will be.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        box: seals and opens.
    """

    def __init__(self, units: UnitsOfWork, clock: Clock, box: SecretsBox) -> None:
        self._units = units
        self._clock = clock
        self._box = box

    async def put(self, actor: Actor, name: str, value: str, description: str = "") -> bool:
        """Keeps a value in the place of any other of this name.

        Args:
            actor: whose it is.
            name: 1 to 255 characters; their case does not matter.
            value: 1 to 1024 characters.
            description: what it is for.

        Returns:
            Whether the name is new.

        Raises:
            Invalid: a field breaks a rule.
            Forbidden: the API token that `actor` shows may not make jobs, for which secrets are.
            Unavailable: the keys cannot be read, or the extra is not installed.
        """
        require_scopes(actor, [Action.EXPERIMENTS_CREATE])
        now = self._clock.now()
        plain = PlainSecret(value=value)
        secret = Secret(
            name=name, description=description, created_at=now, updated_at=now, updated_by=actor.user_id
        )
        async with self._units.writing() as unit:
            await unit.lock(SECRET_KEYS)
            sealed = self._box.seal(actor.user_id, secret.name, plain)
            is_new = await unit.evaluation_secrets.put(actor.user_id, secret, sealed)
            what = "secret.create" if is_new else "secret.replace"
            await record(unit, actor, what, "secret", secret.name, at=now)
            await unit.commit()
        return is_new

    async def list(self, actor: Actor) -> tuple[Secret, ...]:
        """What is known of the actor's secrets, by name.

        Raises:
            Forbidden: the API token that `actor` shows may not look at jobs.
        """
        require_scopes(actor, [Action.EXPERIMENTS_VIEW])
        async with self._units.reading() as unit:
            return await unit.evaluation_secrets.list(actor.user_id)

    async def delete(self, actor: Actor, name: str) -> bool:
        """Removes one; whether there was one.

        Raises:
            Forbidden: the API token that `actor` shows may not make jobs.
        """
        require_scopes(actor, [Action.EXPERIMENTS_CREATE])
        try:
            key = _NAME.validate_python(name)
        except ValidationError:  # what can be no name is the name of nothing
            return False
        async with self._units.writing() as unit:
            if not await unit.evaluation_secrets.delete(actor.user_id, key):
                return False
            await record(unit, actor, "secret.delete", "secret", key, at=self._clock.now())
            await unit.commit()
        return True

    async def missing(self, owner_id: UserId, names: Collection[str]) -> frozenset[str]:
        """Those of `names` (as entities have them) that the user has no secret of."""
        async with self._units.reading() as unit:
            known = {secret.name for secret in await unit.evaluation_secrets.list(owner_id)}
        return frozenset(names) - known

    async def open(self, owner_id: UserId, names: Collection[str]) -> Mapping[str, PlainSecret]:
        """The values of a user's secrets, for a job that runs in their name. No edge may show them.

        Raises:
            Invalid: there is no secret of a name; the kind of its problem is ``missing_secret``.
            Unavailable: one cannot be opened.
        """
        return {name: await self._opened(owner_id, name) for name in names}

    async def rotate(self, actor: Actor) -> Rotation:
        """Makes a new key, seals all values by it, and then forgets the older ones.

        Others may read and store meanwhile. It may be killed at any moment, and several may rotate at a time:
        every value is opened by a key that is there, and the next rotation finishes what is left.

        Args:
            actor: a superuser.

        Raises:
            Forbidden: `actor` is no superuser.
            Unavailable: the keys cannot be read or written, or the database does not answer.
        """
        require_superuser(actor)
        async with self._units.writing() as unit:
            await unit.lock(SECRET_KEYS)
            self._box.add_key()
        resealed, unreadable = 0, dict[tuple[UserId, str], None]()
        while True:
            async with self._units.writing() as unit:
                await unit.lock(SECRET_KEYS)
                present = self._box.key_id
                batch = await unit.evaluation_secrets.under_other_keys(present, _BATCH + len(unreadable))
                left = [(owner, old) for owner, old in batch if (owner, old.name) not in unreadable]
                for owner, old in left:
                    if (new := self._resealed(owner, old)) is None:
                        unreadable[owner, old.name] = None
                    else:
                        resealed += await unit.evaluation_secrets.reseal(owner, old, new)
                if left:
                    await unit.commit()
                    continue
                dropped = 0 if unreadable else self._box.drop_keys(present)
                names = tuple(sorted({name for _, name in unreadable}))
                rotation = Rotation(present, resealed, names, dropped)
                await self._note(unit, actor, rotation)
                return rotation

    async def _note(self, unit: WritingUnit, actor: Actor, rotation: Rotation) -> None:
        await record(
            unit, actor, "secret.rotate", "secret_key", rotation.key_id, at=self._clock.now(),
            resealed=rotation.resealed, unreadable=len(rotation.unreadable), dropped=rotation.dropped,
        )  # fmt: skip
        await unit.commit()

    async def _opened(self, owner_id: UserId, name: str) -> PlainSecret:
        tried: SealedSecret | None = None
        while True:
            async with self._units.reading() as unit:
                sealed = await unit.evaluation_secrets.sealed(owner_id, name)
            if sealed is None:
                why = f"there is no secret named {name!r}: store it, or name another"
                raise Invalid(f"secret_key_name: {why}", [Problem(("secret_key_name",), why, MISSING_SECRET)])
            try:
                return self._box.open(owner_id, sealed)
            except Unavailable:
                # A rotation may have dropped its key since it was read; then it is sealed by another now.
                if sealed == tried:
                    raise
                tried = sealed

    def _resealed(self, owner_id: UserId, old: SealedSecret) -> SealedSecret | None:
        """The same value under the present key; ``None`` where no key opens it."""
        try:
            plain = self._box.open(owner_id, old)
        except Unavailable:
            return None
        return self._box.seal(owner_id, old.name, plain)
