"""How far values lie apart, whatever a few of them do."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["NORMAL", "mad", "median"]

NORMAL = 1.4826
"""1 / quantile 0.75 of the normal distribution, rounded as is usual: makes the median absolute deviation
of normal values estimate their standard deviation."""


def median(values: Sequence[float]) -> float:
    """The middle value, or the middle between the two middle ones; at least one value."""
    ordered = sorted(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return low if low == high else low / 2 + high / 2  # the sum of two huge numbers would overflow


def mad(values: Sequence[float]) -> float:
    """1.4826 x the median absolute deviation from the median: the standard deviation, were they normal.

    F. R. Hampel, "The influence curve and its role in robust estimation", J. Amer. Statist. Assoc. 69
    (1974). Values beyond half of the largest float may give infinity.

    Args:
        values: finite, at least one.
    """
    middle = median(values)
    deviation = median([abs(value - middle) for value in values])
    return deviation * NORMAL if math.isfinite(deviation) else math.inf
