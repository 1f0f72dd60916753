"""Passwords by Argon2id (RFC 9106)."""

from __future__ import annotations

import asyncio
import os
import re

from tracker.adapters.security.extra import from_extra

__all__ = ["Argon2PasswordHasher"]

# RFC 9106, section 4, second recommended option: 64 MiB for machines that are not servers alone.
_MEMORY_KIB, _ITERATIONS, _LANES, _LENGTH, _SALT = 65536, 3, 4, 32, 16
_PARAMETERS = re.compile(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$")
_AT_ONCE = 2


class Argon2PasswordHasher:
    """A :class:`~tracker.ports.passwords.PasswordHasher` that takes about 0.1 s and 64 MiB a password.

    At most two are hashed at once, so that a flood of logins takes neither all memory nor all cores.
    """

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """See the port."""
        async with self._turns:
            return await asyncio.to_thread(_hash, password)

    async def verify(self, password: str, kept: str | None) -> bool:
        """See the port."""
        async with self._turns:
            if self._nobody is None:
                self._nobody = await asyncio.to_thread(_hash, os.urandom(16).hex())
            same = await asyncio.to_thread(_verify, password, kept or self._nobody)
        return same and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """See the port."""
        found = _PARAMETERS.match(kept)
        return found is None or tuple(map(int, found.groups())) != (_MEMORY_KIB, _ITERATIONS, _LANES)


def _hash(password: str) -> str:
    with from_extra():
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415
    return Argon2id(
        salt=os.urandom(_SALT), length=_LENGTH, iterations=_ITERATIONS, lanes=_LANES, memory_cost=_MEMORY_KIB
    ).derive_phc_encoded(password.encode())


def _verify(password: str, kept: str) -> bool:
    with from_extra():
        from cryptography.exceptions import InvalidKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415
    try:
        Argon2id.verify_phc_encoded(password.encode(), kept)
    except (InvalidKey, UnicodeEncodeError):
        return False
    return True
