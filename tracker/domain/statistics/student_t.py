"""Student's t distribution for real degrees of freedom.

Both tails together are a regularised incomplete beta function (DLMF 8.17.2, Abramowitz & Stegun 26.7.1):
``P(|T| > t) = I_x(df / 2, 1 / 2)`` with ``x = df / (df + t * t)``. It is computed by the continued
fraction DLMF 8.17.22, which converges fast for ``x < (a + 1) / (a + b + 2)``; beyond that by
``I_x(a, b) = 1 - I_{1 - x}(b, a)`` (8.17.4). Up to 100,000 degrees of freedom the relative error is below
1e-10; it grows in proportion to them beyond.
"""

from __future__ import annotations

import math
import sys

__all__ = ["cdf", "critical", "quantile", "two_sided_p"]

_TINY = 1e-300
_MOST_TERMS = 10_000
_MOST_ROUNDS = 200
_ENOUGH = 4e-16
_HALF_LOG_PI = 0.5 * math.log(math.pi)


def two_sided_p(t: float, df: float) -> float:
    """The probability of a value as far from 0 as `t`, on either side.

    Args:
        t: any number.
        df: degrees of freedom, above 0; infinity gives the normal distribution.
    """
    if math.isinf(df):
        return math.erfc(abs(t) / math.sqrt(2))
    if math.isinf(t):
        return 0.0
    q = min(abs(t) / math.sqrt(df), sys.float_info.max)
    if q == 0:
        return 1.0
    a = df / 2
    log_front = a * _log_x(q) + math.log(q) + 0.5 * _log_x(q) + _log_gamma_ratio(a) - _HALF_LOG_PI
    x, y = 1 / (1 + q * q), q / (1 / q + q)
    if x < (a + 1) / (a + 2.5):
        return min(1.0, math.exp(log_front) * _fraction(a, 0.5, x) / a)
    return max(0.0, 1 - math.exp(log_front) * _fraction(0.5, a, y) / 0.5)


def cdf(t: float, df: float) -> float:
    """The probability of a value of at most `t`."""
    tail = two_sided_p(t, df) / 2
    return 1 - tail if t > 0 else tail


def critical(alpha: float, df: float) -> float:
    """The number that ``|T|`` exceeds with the probability `alpha`.

    Newton's method on the logarithms of both, inside a bracket that every step shrinks.

    Args:
        alpha: above 0, at most 1.
        df: degrees of freedom, above 0.
    """
    if alpha >= 1:
        return 0.0
    low, high = 0.0, 1.0
    while two_sided_p(high, df) > alpha:
        low, high = high, high * 2
        if math.isinf(high):
            return high
    t = (low + high) / 2
    for _ in range(_MOST_ROUNDS):
        p = two_sided_p(t, df)
        low, high = (t, high) if p > alpha else (low, t)
        step = 0.0 if p == 0 else p * math.log(p / alpha) / (2 * t * _density(t, df) or math.inf)
        newton = t * math.exp(step) if abs(step) < 1 else math.nan
        following = newton if low < newton < high else (low + high) / 2
        if abs(following - t) <= _ENOUGH * t:
            return following
        t = following
    return t


def quantile(probability: float, df: float) -> float:
    """The number below which `probability`, between 0 and 1, of the distribution lies."""
    if probability < 0.5:
        return -critical(2 * probability, df)
    return critical(2 * (1 - probability), df)


def _density(t: float, df: float) -> float:
    if math.isinf(df):
        return math.exp(-t * t / 2) / math.sqrt(2 * math.pi)
    log_front = _log_gamma_ratio(df / 2) - _HALF_LOG_PI - 0.5 * math.log(df)
    return math.exp(log_front + (df + 1) / 2 * _log_x(t / math.sqrt(df)))


def _log_x(q: float) -> float:
    """``log(1 / (1 + q * q))`` without overflow, and exact where `q` is small."""
    return -math.log1p(q * q) if q < 1 else -2 * math.log(math.hypot(1, q))


def _log_gamma_ratio(a: float) -> float:
    """``log(gamma(a + 1/2) / gamma(a))``; for large `a`, where the two logarithms would cancel, by the
    asymptotic series of DLMF 5.11.13."""
    if a < 25:
        return math.lgamma(a + 0.5) - math.lgamma(a)
    b = 1 / (a * a)
    return 0.5 * math.log(a) + (-1 / 8 + b * (1 / 192 + b * (-1 / 640 + b * 17 / 14336))) / a


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of ``I_x(a, b)``, by the method of Lentz as modified by Thompson and
    Barnett (J. Comput. Phys. 64, 1986)."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            c, d = _away(1 + term / c), 1 / _away(1 + term * d)
            value *= c * d
        if abs(c * d - 1) <= _ENOUGH:
            break
    return value


def _away(value: float) -> float:
    """Not zero, by which the method divides."""
    return value if abs(value) > _TINY else _TINY
