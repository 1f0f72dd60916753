"""New identities."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

__all__ = ["IdGenerator"]


class IdGenerator(Protocol):
    """Makes ids before anything is stored."""

    def new(self) -> UUID:
        """A UUIDv7 (RFC 9562) that sorts after every one that this generator gave before."""
        ...
