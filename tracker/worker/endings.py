"""How an attempt ended, as its runner is told."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

__all__ = ["Ended", "Ending", "in_a_line"]


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


def in_a_line(error: BaseException, memory_bytes: int | None) -> str:
    """An unexpected error, for whoever has not read the log."""
    if isinstance(error, MemoryError):
        limit = "" if memory_bytes is None else f": it may take {memory_bytes} bytes"
        return f"out of memory{limit}"
    text = str(error).strip().partition("\n")[0][:500]
    return f"the worker broke down: {type(error).__name__}" + (f": {text}" if text else "")
