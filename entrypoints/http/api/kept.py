"""What deletions tell of what they left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from ..exchange import Call

__all__ = ["KEPT_HEADER", "tell_kept"]

KEPT_HEADER = "X-Kept"
"""What a deletion left, percent-encoded, since its answer has no content."""

_MOST_CHARACTERS = 2000


def tell_kept(call: Call[Any, Any], kept: Sequence[str]) -> None:
    """Says in a header what stays, if anything does."""
    if kept:
        call.headers[KEPT_HEADER] = quote("; ".join(kept)[:_MOST_CHARACTERS])
