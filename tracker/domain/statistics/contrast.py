"""How sure one is of a difference of means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from tracker.domain.statistics.student_t import critical, two_sided_p

__all__ = ["Estimate", "Weighted", "contrast", "welch"]

Weighted = tuple[float, float]
"""An observation behind its coefficient."""

_ROUNDING = 2.0**-44


class Estimate(NamedTuple):
    """An estimated difference.

    Attributes:
        value: the difference, in the observations' unit.
        error: its standard error; 0 when no observation differs from the others of its class.
        freedom: degrees of freedom of that error.
    """

    value: float
    error: float
    freedom: float

    @property
    def p(self) -> float:
        """Probability of a difference this far from 0, on either side, if there were none."""
        if self.error == 0:
            return 1.0 if self.value == 0 else 0.0
        return two_sided_p(self.value / self.error, self.freedom)

    def interval(self, alpha: float) -> tuple[float, float]:
        """The bounds that miss the true difference with the probability `alpha`; a point when the
        error is 0."""
        if self.error == 0:
            return self.value, self.value
        margin = critical(alpha, self.freedom) * self.error
        return self.value - margin, self.value + margin


def welch(first: Sequence[float], second: Sequence[float]) -> Estimate | None:
    """The mean of `first` less that of `second`, whose variances may differ.

    B. L. Welch, "The generalization of Student's problem when several different population variances
    are involved", Biometrika 34 (1947).

    Returns:
        ``None`` when either has fewer than two observations.
    """
    if min(len(first), len(second)) < 2:
        return None
    plus, minus = 1 / len(first), -1 / len(second)
    return contrast([[(plus, value) for value in first], [(minus, value) for value in second]])


def contrast(classes: Sequence[Sequence[Weighted]]) -> Estimate | None:
    """A weighted sum of independent observations whose coefficients add up to 0.

    Observations of one class have the same expectation and variance. With the variance ``s_k`` of class
    `k` estimated from its ``m_k`` observations and ``v_k = s_k * sum(c * c)``, the error is
    ``sqrt(sum(v_k))`` and its degrees of freedom are ``sum(v_k) ** 2 / sum(v_k ** 2 / (m_k - 1))``
    (F. E. Satterthwaite, "An approximate distribution of estimates of variance components",
    Biometrics Bulletin 2, 1946). Two classes of ``1 / n`` and ``-1 / m`` give Welch's test.

    Args:
        classes: of each class its observations behind their coefficients, all finite.

    Returns:
        ``None`` when a class has fewer than two observations, or there is none.
    """
    if not classes or min(map(len, classes)) < 2:
        return None
    # Powers of two, so that nothing is rounded, and neither squares nor differences leave the range.
    exponent = math.frexp(max(abs(value) for one in classes for _, value in one))[1] + 1
    scaled = [[(c, math.ldexp(value, -exponent)) for c, value in one] for one in classes]
    anchor = scaled[0][0][1]
    terms = [c * (value - anchor) for one in scaled for c, value in one]
    value = math.fsum(terms)
    parts = [_variance([value for _, value in one]) * math.fsum(c * c for c, _ in one) for one in scaled]
    total = math.fsum(parts)
    if total == 0:
        if abs(value) <= _ROUNDING * math.fsum(map(abs, terms)):
            value = 0.0  # equal means, of which rounding has made a difference that nothing excuses
        return Estimate(_unscaled(value, exponent), 0.0, float(sum(len(one) - 1 for one in classes)))
    shares = [(part / total, len(one) - 1) for part, one in zip(parts, classes, strict=True)]
    freedom = 1 / math.fsum(share * share / m for share, m in shares)
    return Estimate(_unscaled(value, exponent), _unscaled(math.sqrt(total), exponent), freedom)


def _variance(values: Sequence[float]) -> float:
    if min(values) == max(values):
        return 0.0  # exactly, whatever the rounding of the mean
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)


def _unscaled(value: float, exponent: int) -> float:
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.copysign(math.inf, value)
