"""What the library says beside its answers, by Python's own means."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

__all__ = ["TrackerWarning", "warn_of"]


class TrackerWarning(UserWarning):
    """Something was done, but perhaps not as it was meant."""


def warn_of(texts: Iterable[str]) -> None:
    """Warns of each."""
    for text in texts:
        warnings.warn(text, TrackerWarning, stacklevel=2)
