"""What bytes are called by: their SHA-256."""

from __future__ import annotations

import hashlib
from typing import Annotated

from pydantic import Field, StringConstraints, TypeAdapter

from tracker.domain.errors import Invalid

__all__ = ["DIGEST_PATTERN", "Digest", "Size", "checked_digest", "digest_of"]

DIGEST_PATTERN = r"^[0-9a-f]{64}$"

Digest = Annotated[str, StringConstraints(pattern=DIGEST_PATTERN)]
"""The SHA-256 of a blob (FIPS 180-4) in lower-case hex; two blobs of one digest are the same bytes."""

Size = Annotated[int, Field(ge=0, lt=2**63)]
"""How many bytes."""

_FORM = TypeAdapter(Digest)


def digest_of(content: bytes) -> str:
    """The digest of these bytes."""
    return hashlib.sha256(content).hexdigest()


def checked_digest(text: str, field: str = "digest") -> str:
    """The same text, if it is a digest.

    Raises:
        Invalid: it is none; names `field`.
    """
    try:
        return _FORM.validate_python(text, strict=True)
    except ValueError as error:
        raise Invalid.field(
            field, "must be a SHA-256 in 64 lower-case hex digits", "string_pattern_mismatch"
        ) from error
