"""Passwords, kept so that nobody can read them."""

from __future__ import annotations

from typing import Protocol

__all__ = ["PasswordHasher"]


class PasswordHasher(Protocol):
    """Hashes slowly, on purpose, and never in the event loop's thread."""

    async def hash(self, password: str) -> str:
        """A PHC string with a fresh salt."""
        ...

    async def verify(self, password: str, kept: str | None) -> bool:
        """Whether `kept` is of this password. For ``None``, the hash of nobody, it takes as long and
        says no."""
        ...

    def is_outdated(self, kept: str) -> bool:
        """Whether `kept` was made with weaker parameters than are used today."""
        ...
