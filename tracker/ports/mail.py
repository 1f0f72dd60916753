"""Letters to users."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Mailer"]


class Mailer(Protocol):
    """Sends letters. What is in them may be secret, so no adapter logs it."""

    async def send(self, to: str, subject: str, text: str) -> None:
        """Sends a letter, or hands it to somebody who will.

        Raises:
            Unavailable: it cannot be sent now.
        """
        ...
