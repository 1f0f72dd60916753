"""What a run keeps beside numbers: texts, images, sounds, tables and histograms, as bytes with a type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracker.domain.errors import Invalid
from tracker.run.media.encoding import Encoded, Tell
from tracker.run.media.histograms import encoded_histogram
from tracker.run.media.images import encoded_image
from tracker.run.media.sounds import encoded_audio
from tracker.run.media.tables import encoded_table
from tracker.run.media.texts import encoded_text
from tracker.warning import warn_of

__all__ = ["Encoded", "encoded"]

_KINDS: dict[str, Callable[..., Encoded]] = {
    "audio": encoded_audio,
    "histogram": encoded_histogram,
    "image": encoded_image,
    "table": encoded_table,
    "text": encoded_text,
}


def _warn(text: str) -> None:
    warn_of([text])


def encoded(kind: str, value: Any, *, tell: Tell = _warn, **options: Any) -> Encoded:
    """The bytes of a value, with what they are.

    Args:
        kind: ``text``, ``image``, ``audio``, ``table`` or ``histogram``.
        value: what the function of that name in this package takes first.
        tell: takes what was odd about it, such as a sound that is too loud; by default a
            :class:`~tracker.TrackerWarning`.
        options: what that function takes beside it.

    Raises:
        Invalid: it cannot be that; names the field and what would do.
    """
    if kind not in _KINDS:
        raise Invalid.field("kind", f"must be one of {', '.join(_KINDS)}, not {kind!r}")
    return _KINDS[kind](value, tell=tell, **options)
