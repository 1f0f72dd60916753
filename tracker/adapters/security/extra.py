"""What is said when the packages for teams are not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tracker.domain.errors import Unavailable

__all__ = ["from_extra"]


@contextmanager
def from_extra() -> Iterator[None]:
    """Around the imports of what only accounts need.

    Raises:
        Unavailable: it is not installed; says what to run.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise Unavailable("accounts need their extra; run: pip install 'tracker[team]'", 3600) from error
