"""Where secrets are kept, and the box that seals them."""

from __future__ import annotations

from typing import Protocol

from tracker.domain.evaluation.secrets import PlainSecret, SealedSecret, Secret
from tracker.domain.ids import UserId

__all__ = ["SecretRepository", "SecretsBox"]


class SecretRepository(Protocol):
    """Secrets of users. Each user has names of their own, and sees nobody else's."""

    async def put(self, owner_id: UserId, secret: Secret, sealed: SealedSecret) -> bool:
        """Keeps it; one of this owner and name is replaced, but for when it was created, and has the next
        version.

        Returns:
            Whether it is new.

        Raises:
            NotFound: there is no such owner.
        """
        ...

    async def list(self, owner_id: UserId) -> tuple[Secret, ...]:
        """What is known of a user's, by name (by code point)."""
        ...

    async def sealed(self, owner_id: UserId, name: str) -> SealedSecret | None:
        """The value as it is kept; ``None`` where there is none."""
        ...

    async def delete(self, owner_id: UserId, name: str) -> bool:
        """Removes it; whether it was there."""
        ...

    async def under_other_keys(self, key_id: str, limit: int) -> tuple[tuple[UserId, SealedSecret], ...]:
        """Some whose value is sealed by a key that is not this one, of all users."""
        ...

    async def reseal(self, owner_id: UserId, old: SealedSecret, new: SealedSecret) -> bool:
        """Puts `new` in the place of exactly `old`; ``False`` where that is not there any more."""
        ...


class SecretsBox(Protocol):
    """Encrypts and authenticates values (AEAD) under keys that have ids.

    Every method may raise ``Unavailable``: the keys cannot be read, or what encrypts is not installed.
    ``Invalid``: others may read the keys, or what should hold them holds something else. Any number of
    processes may use the same keys; what one of them changes, the others see with their next call.
    """

    @property
    def key_id(self) -> str:
        """Of the key that seals now; the first use makes one."""
        ...

    def seal(self, owner_id: UserId, name: str, secret: PlainSecret) -> SealedSecret:
        """The value under the present key, bound to owner and name."""
        ...

    def open(self, owner_id: UserId, sealed: SealedSecret) -> PlainSecret:
        """The value.

        Raises:
            Unavailable: its key is not here, or it is not what was sealed for this owner and name.
        """
        ...

    def add_key(self) -> str:
        """Makes a new key that seals from now on, durable when it returns; older ones still open. Its id."""
        ...

    def drop_keys(self, before: str) -> int:
        """Forgets the keys that are older than `before`; how many. None where that is not here."""
        ...
