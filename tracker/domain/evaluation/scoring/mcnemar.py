"""McNemar's test: two yes-or-no scores of the same rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["McNemar", "is_binary", "mcnemar"]


class McNemar(NamedTuple):
    """What the rows say on which the two differ.

    Attributes:
        first_only: rows on which only the first is right.
        second_only: rows on which only the second is.
        exact: p, of the binomial test; it never promises too much, and is therefore too large on average.
        mid: p, which counts what was seen by half: close to the level, and what we go by.
    """

    first_only: int
    second_only: int
    exact: float
    mid: float


def is_binary(values: Sequence[float]) -> bool:
    """Whether every score is 0 or 1."""
    return all(value in (0.0, 1.0) for value in values)


def mcnemar(first: Sequence[float], second: Sequence[float]) -> McNemar:
    """Whether one is right more often than the other, two-sided.

    Q. McNemar, Psychometrika 12 (1947); the mid-p version as recommended by M. W. Fagerland, S. Lydersen and
    P. Laake, "The McNemar test for binary matched-pairs data: mid-p and asymptotic are better than exact
    conditional", BMC Med. Res. Methodol. 13:91 (2013).

    Args:
        first: 0 or 1 a row.
        second: the same rows.
    """
    b = sum(one > other for one, other in zip(first, second, strict=True))
    c = sum(one < other for one, other in zip(first, second, strict=True))
    n, less = b + c, min(b, c)
    tail = math.fsum(_binomial(n, k) for k in range(less + 1))
    exact = min(1.0, 2 * tail)
    mid = 1.0 if b == c else min(1.0, 2 * tail - _binomial(n, less))
    return McNemar(b, c, exact, mid)


def _binomial(n: int, k: int) -> float:
    """The probability of `k` heads in `n` throws. By logarithms: no float holds the ways of thousands."""
    logarithm = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2)
    return math.exp(logarithm)
