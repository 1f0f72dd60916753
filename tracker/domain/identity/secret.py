"""Secrets that we make: what is shown once, and what is kept of it."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from uuid import UUID

__all__ = ["SECRET_BYTES", "parse_secret", "secret_hash", "secret_text"]

SECRET_BYTES = 24
_ID_BYTES = 16


def secret_hash(secret: bytes) -> bytes:
    """SHA-256. A slow hash would add nothing: the secret has 192 random bits, nobody can guess it."""
    return hashlib.sha256(secret).digest()


def secret_text(key: UUID, secret: bytes) -> str:
    """Id and secret as one text that a person can paste."""
    return urlsafe_b64encode(key.bytes + secret).decode().rstrip("=")


def parse_secret(text: str) -> tuple[UUID, bytes] | None:
    """What :func:`secret_text` put together; ``None`` when it did not make `text`."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, Base64Error):
        return None
    if len(raw) != _ID_BYTES + SECRET_BYTES:
        return None
    key, secret = UUID(bytes=raw[:_ID_BYTES]), raw[_ID_BYTES:]
    # The decoder passes over foreign characters: one token would have many spellings.
    return (key, secret) if secret_text(key, secret) == text else None
