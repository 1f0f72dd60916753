"""Texts, plain or in Markdown."""

from __future__ import annotations

from typing import Any

from tracker.domain.errors import Invalid
from tracker.run.media.encoding import Encoded, Tell

__all__ = ["encoded_text"]

_FORMATS = {
    "plain": ("text/plain; charset=utf-8", ".txt"),
    "markdown": ("text/markdown; charset=utf-8", ".md"),
}


def encoded_text(text: Any, *, format: str = "plain", tell: Tell) -> Encoded:
    """A text in UTF-8; what is no text is written as ``str`` does.

    Args:
        text: what to keep.
        format: ``plain`` or ``markdown``.
        tell: takes what was odd.

    Raises:
        Invalid: there is no such format, or the text of the object cannot be had.
    """
    if format not in _FORMATS:
        raise Invalid.field("format", f"must be plain or markdown, not {format!r}")
    try:
        written = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    except Exception as error:  # theirs
        raise Invalid.field("text", f"a {type(text).__qualname__} has no text: {error}") from error
    data = written.encode("utf-8", "replace")
    if data.decode() != written:
        tell("text: had characters that cannot be kept; they are now question marks")
    media_type, suffix = _FORMATS[format]
    return Encoded(data, media_type, suffix, {"characters": len(written)})
