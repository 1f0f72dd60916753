"""Secrets nobody can guess, and texts nobody can forge."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

__all__ = ["SecretSource", "SignedTokens"]


class SecretSource(Protocol):
    """Makes secrets."""

    def new(self, size: int) -> bytes:
        """Bytes from the operating system's generator for cryptography."""
        ...


class SignedTokens(Protocol):
    """Signs claims into compact texts (JWT, RFC 7519) and reads back what it signed."""

    def sign(self, audience: str, claims: Mapping[str, str | int], expires_at: datetime) -> str:
        """A text that says these claims to this audience until then."""
        ...

    def read(self, audience: str, text: str, now: datetime) -> Mapping[str, str | int]:
        """The claims of a text, with ``exp`` among them.

        Raises:
            Unauthenticated: it was not signed by a key of ours, is for another audience, or has run
                out; nobody is told which.
        """
        ...
