"""How far one thing goes with another."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

__all__ = ["correlation_ratio", "ranks", "spearman"]


def ranks(values: Sequence[float]) -> list[float]:
    """The place of each value in the sorted order, from 1; equal ones share the mean of their places."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    start = 0
    while start < len(order):
        stop = start
        while stop < len(order) and values[order[stop]] == values[order[start]]:
            stop += 1
        for index in order[start:stop]:
            found[index] = (start + 1 + stop) / 2
        start = stop
    return found


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """The rank correlation, from -1 to 1: Pearson's coefficient of the ranks, so ties are counted right.

    C. Spearman, "The proof and measurement of association between two things", Amer. J. Psychol. 15 (1904).

    Returns:
        ``None`` for fewer than two pairs, or when one side never varies.
    """
    n = len(first)
    middle = (n + 1) / 2
    one, other = ([rank - middle for rank in ranks(values)] for values in (first, second))
    # Sums of halves and quarters of integers: exact below 2 ** 53.
    size = math.fsum(a * a for a in one) * math.fsum(b * b for b in other)
    if n < 2 or size == 0:
        return None
    return max(-1.0, min(1.0, math.fsum(a * b for a, b in zip(one, other, strict=True)) / math.sqrt(size)))


def correlation_ratio(groups: Sequence[Hashable], values: Sequence[float]) -> float | None:
    """Eta, from 0 to 1: the root of the part of the values' variance that lies between groups.

    K. Pearson, "On the general theory of skew correlation and non-linear regression" (1905); R. A. Fisher,
    "Statistical Methods for Research Workers" (1925), on its square.

    Args:
        groups: of each value, whose it is.
        values: finite.

    Returns:
        ``None`` for fewer than two values, or when they never vary.
    """
    n = len(values)
    if n < 2 or min(values) == max(values):
        return None
    # A power of two, so that nothing is rounded and no square leaves the range.
    exponent = math.frexp(max(map(abs, values)))[1] + 1
    scaled = [math.ldexp(value, -exponent) for value in values]
    mean = math.fsum(scaled) / n
    members: dict[Hashable, list[float]] = {}
    for group, value in zip(groups, scaled, strict=True):
        members.setdefault(group, []).append(value - mean)
    total = math.fsum((value - mean) ** 2 for value in scaled)
    if total == 0:
        return None
    between = math.fsum(math.fsum(own) ** 2 / len(own) for own in members.values())
    return min(1.0, math.sqrt(between / total))
