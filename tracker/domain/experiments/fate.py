"""What became of the process that runs an experiment."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, Self

from tracker.domain.experiments.ending import EndKind, shortened

__all__ = ["Fate", "Life"]


class Life(StrEnum):
    """Whether a process lives."""

    ALIVE = "alive"
    GONE = "gone"
    UNKNOWN = "unknown"


class Fate(NamedTuple):
    """Whether a process lives, and how it ended if it does not.

    Attributes:
        life: what is certain.
        kind: of the end of one that is gone.
        reason: why it is gone, or why nobody knows.
    """

    life: Life
    kind: EndKind | None = None
    reason: str = ""

    @classmethod
    def alive(cls) -> Self:
        """It lives."""
        return cls(Life.ALIVE)

    @classmethod
    def unknown(cls, why: str) -> Self:
        """It may live where nobody sees it from here."""
        return cls(Life.UNKNOWN, None, shortened(why))

    @classmethod
    def lost(cls, reason: str) -> Self:
        """It went away with something larger."""
        return cls(Life.GONE, EndKind.LOST, shortened(reason))

    @classmethod
    def killed(cls, reason: str) -> Self:
        """Something ended it that lets nobody say goodbye."""
        return cls(Life.GONE, EndKind.KILLED, shortened(reason))

    @classmethod
    def out_of_memory(cls, reason: str) -> Self:
        """The kernel ended it."""
        return cls(Life.GONE, EndKind.OUT_OF_MEMORY, shortened(reason))

    @classmethod
    def other(cls, reason: str) -> Self:
        """It ended in a way that has no name here."""
        return cls(Life.GONE, EndKind.OTHER, shortened(reason))

    def prefixed(self, text: str) -> Self:
        """The same, with something said before the reason."""
        return self._replace(reason=shortened(f"{text}: {self.reason}"))
