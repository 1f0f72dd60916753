"""What a run cannot do is said once and never ends the training."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tracker.domain.errors import TrackerError
from tracker.warning import TrackerWarning

__all__ = ["Complaints", "is_from_elsewhere"]

_log = logging.getLogger("tracker.run")
_OURS = str(Path(__file__).parent) + os.sep
_PACKAGE = str(Path(__file__).parents[1]) + os.sep


class Complaints:
    """Warns once of each thing that is wrong, and counts.

    Args:
        strict: what is wrong is raised instead.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.is_strict = strict
        self.count = 0
        self._told: set[str] = set()

    @contextmanager
    def about(self, what: str) -> Iterator[None]:
        """Turns an error within the block into a warning, once for each text.

        Raises:
            TrackerError: only when strict.
        """
        try:
            yield
        except TrackerError as error:
            if self.is_strict:
                raise
            self.tell(error.detail, f"{what}: {error.detail}")
        except Exception as error:  # a fault of ours must not end the training either
            if self.is_strict:
                raise
            self.tell(f"{what} {type(error).__name__}", f"{what}: {type(error).__name__}: {error}")

    def tell(self, topic: str, text: str) -> None:
        """Warns, unless `topic` was warned of before."""
        self.count += 1
        if topic in self._told or len(self._told) > 1000:
            return
        self._told.add(topic)
        try:
            warnings.warn(text, TrackerWarning, stacklevel=_depth())
        except Exception:  # somebody has warnings raised, or what shows them fails
            with contextlib.suppress(Exception):
                _log.warning("%s", text)


def _depth() -> int:
    """How far up the caller outside of this folder is, so that the warning names its line."""
    depth = 1
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith((_OURS, contextlib.__file__)):
        depth, frame = depth + 1, frame.f_back
    return depth


def is_from_elsewhere(error: Exception) -> bool:
    """Whether code that is not this package's raised it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and not trace.tb_frame.f_code.co_filename.startswith(_PACKAGE)
