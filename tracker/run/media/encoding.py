"""What becomes of a picture, a sound or a table: bytes, and what they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from tracker.domain.errors import Invalid

__all__ = ["Encoded", "Tell", "read_file"]

Tell = Callable[[str], None]
"""Takes a sentence about what was done otherwise than it was asked."""

_LARGEST_FILE = 2**30


class Encoded(NamedTuple):
    """The content of an artifact.

    Attributes:
        data: its bytes.
        media_type: as in HTTP.
        suffix: of a file that holds it, with the dot.
        metadata: JSON that describes it, such as width and height.
    """

    data: bytes
    media_type: str
    suffix: str
    metadata: Mapping[str, Any]


def read_file(path: str | PurePath, field: str) -> bytes:
    """The content of a file.

    Raises:
        Invalid: it cannot be read, or has more than a gigabyte; names `field`.
    """
    try:
        found = Path(path)
        if found.stat().st_size > _LARGEST_FILE:
            raise Invalid.field(field, f"{found.name} is larger than 1 GiB; keep it with run.file()")
        return found.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no path"
        raise Invalid.field(field, f"{str(path)!r} cannot be read: {why}") from error
