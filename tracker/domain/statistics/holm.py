"""Several tests at once, with one bound on the probability of any false claim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Step", "holm"]


class Step(NamedTuple):
    """What Holm's procedure says of one test.

    Attributes:
        rejected: whether its null hypothesis is.
        level: at which it was tested. An interval of the level ``1 - level`` excludes the value of the
            null hypothesis exactly when that is rejected.
        p: adjusted: the smallest `alpha` of the whole at which it would be rejected.
    """

    rejected: bool
    level: float
    p: float


def holm(p_values: Sequence[float], alpha: float) -> tuple[Step, ...]:
    """Holm's step-down procedure, in the given order of the tests.

    The smallest p of m is tested at ``alpha / m``, the next at ``alpha / (m - 1)`` and so on; the first
    that is not rejected ends it, and all further ones are judged at that level, at which they are not
    rejected either. The probability of any false rejection is at most `alpha`, whatever the tests have
    to do with each other (S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J.
    Statist. 6, 1979).
    """
    steps: dict[int, Step] = {}
    left, goes_on, adjusted, level = len(p_values), True, 0.0, alpha
    for index in sorted(range(len(p_values)), key=p_values.__getitem__):
        if goes_on:
            level = alpha / left
        adjusted = max(adjusted, min(1.0, left * p_values[index]))
        goes_on = goes_on and p_values[index] <= level
        steps[index] = Step(goes_on, level, adjusted)
        left -= 1
    return tuple(steps[index] for index in range(len(p_values)))
