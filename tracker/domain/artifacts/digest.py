"""What bytes are called by: their SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints, TypeAdapter

from tracker.domain.errors import Conflict, Invalid

__all__ = [
    "DIGEST_PATTERN", "MOST_AT_ONCE", "Digest", "Size", "checked_digest", "digest_of", "require_digests",
]  # fmt: skip

DIGEST_PATTERN = r"^[0-9a-f]{64}$"

MOST_AT_ONCE = 1_000
"""How many blobs are taken together."""

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


def require_digests(contents: Mapping[str, bytes]) -> None:
    """Lets pass bytes that are under their digest, all of them.

    Raises:
        Conflict: some are not; names the first.
    """
    for digest, content in contents.items():
        found = digest_of(content)
        if found != digest:
            raise Conflict(f"{len(content)} bytes hash to {found}, not to {digest}; nothing was kept")
