"""How an attempt ended, as its runner is told."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

__all__ = ["Ended", "Ending"]


class Ended(StrEnum):
    """The end of an attempt; the same words as in ``ended.json``."""

    FINISHED = "finished"
    """It left its result."""
    REFUSED = "refused"
    """Another attempt would meet the same reason again."""
    CRASHED = "crashed"
    """Another attempt may get further."""


class Ending(NamedTuple):
    """How an attempt ended, and why."""

    status: Ended
    why: str = ""
