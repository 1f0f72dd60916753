"""Letters as files that only the administrator can read, until there is a mail server."""

from __future__ import annotations

import asyncio
import os
import secrets
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from tracker.domain.errors import Unavailable

__all__ = ["FileMailer"]


class FileMailer:
    """A :class:`~tracker.ports.mail.Mailer` that puts each letter into a file of its own, mode 600.

    Args:
        folder: where to; made, with mode 700, for the first letter.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, to: str, subject: str, text: str) -> None:
        """See the port."""
        letter = EmailMessage(policy=SMTP)
        try:
            letter["To"], letter["Subject"] = to, subject
        except ValueError as error:  # a line break in a header
            raise Unavailable("the letter has no usable address") from error
        letter.set_content(text)
        try:
            await asyncio.to_thread(self._write, letter.as_bytes())
        except OSError as error:
            raise Unavailable(f"the letter cannot be written to {self._folder}: {error.strerror}") from error

    def _write(self, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{secrets.token_hex(16)}.eml"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
