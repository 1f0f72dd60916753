"""How calm a time series is at its end."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["LAST_PART", "spread_of", "tail_length"]

LAST_PART = 0.1
"""The part of a series that counts as its end."""


def tail_length(points: int) -> int:
    """How many of the points are the end of a series: the last tenth, rounded up."""
    return math.ceil(points * LAST_PART)


def spread_of(values: NDArray[np.float64]) -> float | None:
    """1.4826 times the median absolute deviation of the finite values; ``None`` without any.

    The factor makes it the standard deviation of normally distributed values (Rousseeuw & Croux,
    "Alternatives to the Median Absolute Deviation", 1993).

    Args:
        values: float64 (n,).
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    with np.errstate(over="ignore"):
        spread = 1.4826 * float(np.median(np.abs(finite - np.median(finite))))
    return spread if math.isfinite(spread) else None
