"""Passwords by Argon2id (RFC 9106)."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING

from tracker.adapters.security.extra import from_extra

if TYPE_CHECKING:
    from argon2 import PasswordHasher

__all__ = ["Argon2PasswordHasher"]

_AT_ONCE = 2


class Argon2PasswordHasher:
    """A :class:`~tracker.ports.passwords.PasswordHasher` that takes about 0.1 s and 64 MiB a password:
    the second recommended option of RFC 9106, section 4, which is the library's default.

    At most two are hashed at once, so that a flood of logins takes neither all memory nor all cores.
    """

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        """See the port."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password: str, kept: str | None) -> bool:
        """See the port."""
        async with self._turns:
            same = await asyncio.to_thread(self._verify, password, kept)
        return same and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """See the port."""
        return self._hasher.check_needs_rehash(kept)

    def _verify(self, password: str, kept: str | None) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415

        nobody = self._nobody  # made by the first of all, whoever that is
        try:
            return self._hasher.verify(nobody if kept is None else kept, password)
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False

    @cached_property
    def _hasher(self) -> PasswordHasher:
        with from_extra():
            from argon2 import PasswordHasher  # noqa: PLC0415
            from argon2.profiles import RFC_9106_LOW_MEMORY  # noqa: PLC0415
        return PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)

    @cached_property
    def _nobody(self) -> str:
        """A hash of no password that anybody knows."""
        return self._hasher.hash("nobody's")
