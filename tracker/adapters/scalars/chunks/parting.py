"""Parts a series in two at a step, chunk by chunk."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from tracker.adapters.scalars.chunks.chunk import Chunk
from tracker.adapters.scalars.chunks.totals import Totals, added, totals_of

__all__ = ["Parted", "Parting"]


class Parted(NamedTuple):
    """A chunk in two.

    Attributes:
        before: the points below the step; ``None`` = there are none.
        behind: the others.
    """

    before: Chunk | None
    behind: Chunk | None

    @classmethod
    def of(cls, chunk: Chunk, step: int) -> Self:
        """A chunk that lies on one side of `step` stays the very same.

        Raises:
            ValueError: its bytes are damaged.
        """
        if chunk.last_step < step:
            return cls(chunk, None)
        if chunk.first_step >= step:
            return cls(None, chunk)
        arrivals = chunk.arrivals()
        at = int(np.searchsorted(arrivals.points.step, step))  # a chunk's points stand by step
        return cls(Chunk.of(arrivals.take(slice(at))), Chunk.of(arrivals.take(slice(at, None))))


class Parting:
    """The totals of both parts of a series, whose chunks come in their order.

    Attributes:
        before: of what is below the step; ``None`` while there is nothing.
        behind: of the others.
    """

    def __init__(self, step: int) -> None:
        self._step = step
        self.before: Totals | None = None
        self.behind: Totals | None = None

    def part(self, chunk: Chunk) -> Parted:
        """Parts the next chunk. Raises ``ValueError``: its bytes are damaged."""
        parted = Parted.of(chunk, self._step)
        if parted.before is not None:
            self.before = added(self.before, totals_of(parted.before.columns()))
        if parted.behind is not None:
            self.behind = added(self.behind, totals_of(parted.behind.columns()))
        return parted
