"""What a check of ``tracker doctor`` gives."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

__all__ = ["Finding", "State"]


class State(StrEnum):
    """How a thing is."""

    OK = "ok"
    PROBLEM = "problem"
    SILENT = "no answer"


class Finding(NamedTuple):
    """What a check found.

    Attributes:
        name: of the thing.
        state: how it is.
        text: in a few words.
        mend: the command that puts it right, if one does.
    """

    name: str
    state: State
    text: str
    mend: str | None = None
