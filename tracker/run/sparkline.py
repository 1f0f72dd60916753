"""A curve in one line of text, in which no extreme is missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

__all__ = ["GAP", "sparkline"]

GAP = "×"
"""Stands where a value was NaN or infinite."""

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int = 24) -> str:
    """Draws `values` as bars of eight heights, at most `width` of them.

    Several values to a bar show the one that is farthest from the mean of all, so that a spike
    never vanishes; a bar that hides a non-finite value is drawn as :data:`GAP`.

    Args:
        values: in the order to draw; empty gives empty text.
        width: at least 1.
    """
    finite = [float(value) for value in values if math.isfinite(value)]
    if not finite:
        return GAP * min(len(values), width)
    low, high = min(finite), max(finite)
    middle = math.fsum(value / len(finite) for value in finite)
    bars = min(len(values), width)
    bounds = [index * len(values) // bars for index in range(bars + 1)]
    return "".join(_bar(values[start:stop], low, high, middle) for start, stop in pairwise(bounds))


def _bar(bucket: Sequence[float], low: float, high: float, middle: float) -> str:
    if not all(math.isfinite(value) for value in bucket):
        return GAP
    chosen = max(bucket, key=lambda value: abs(value - middle))
    # Halved before subtracting: the span of two huge numbers of opposite sign would overflow.
    span = high / 2 - low / 2
    share = (chosen / 2 - low / 2) / span if span > 0 else 0.5
    return _BARS[min(int(share * len(_BARS)), len(_BARS) - 1)]
