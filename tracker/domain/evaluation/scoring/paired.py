"""Two workflows on the same rows: which is better, by how much, and could it be chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tracker.domain.evaluation.scoring.intervals import ALPHA, SEED
from tracker.domain.evaluation.scoring.mcnemar import McNemar, is_binary, mcnemar
from tracker.domain.evaluation.scoring.resampling import Resampled, resampled_means
from tracker.domain.statistics.holm import Step, holm

__all__ = ["Compared", "Scores", "compare"]

Scores = Mapping[str, Sequence[float | None]]
"""Of each metric its scores, by row."""


class Compared(NamedTuple):
    """One metric of two workflows on the rows that both have a score for.

    Attributes:
        metric: which.
        rows: on which both have a score.
        left_out: rows on which only one has.
        first: mean of the first.
        second: mean of the second.
        difference: of the second less the first.
        interval: of the difference, at Holm's `level`, by the paired bootstrap; ``None`` for few rows.
        level: the interval misses the true difference with the probability ``level``.
        p: of a difference this large on either side if there were none: McNemar's mid-p where all
            scores are 0 or 1, else of the paired bootstrap. ``None`` for fewer than two rows.
        adjusted: p, corrected by Holm over all metrics that have one.
        differs: whether the difference is more than chance, all metrics together at 5 %.
        mcnemar: for scores that are all 0 or 1.
    """

    metric: str
    rows: int
    left_out: int
    first: float | None
    second: float | None
    difference: float | None
    interval: tuple[float, float] | None
    level: float
    p: float | None
    adjusted: float | None
    differs: bool
    mcnemar: McNemar | None


class _Pairs(NamedTuple):
    first: tuple[float, ...]
    second: tuple[float, ...]
    left_out: int


class _Unjudged(NamedTuple):
    """A metric before all of them are looked at together."""

    metric: str
    pair: _Pairs
    resampled: Resampled | None
    test: McNemar | None
    p: float | None


def compare(
    first: Scores, second: Scores, *, alpha: float = ALPHA, seed: int = SEED, draws: int | None = None
) -> list[Compared]:
    """The second workflow less the first, for each metric that both have.

    Rows are resampled as pairs, so that what makes a row hard for both drops out. The probability that any of
    all metrics is said to differ when none does is at most about `alpha` (Holm).

    Args:
        first: scores by row.
        second: scores of the same rows in the same order.
        alpha: for all metrics together.
        seed: of the resamples.
        draws: resamples; by default as many as there is reason for.
    """
    pairs = {name: _pairs(values, second[name]) for name, values in first.items() if name in second}
    found = {name: _unjudged(name, pair, seed, draws) for name, pair in pairs.items()}
    tested = [name for name, one in found.items() if one.p is not None]
    steps = dict(
        zip(tested, holm([one.p for one in found.values() if one.p is not None], alpha), strict=True)
    )
    return [_judged(one, steps.get(name), alpha) for name, one in found.items()]


def _pairs(first: Sequence[float | None], second: Sequence[float | None]) -> _Pairs:
    both = [(_finite(a), _finite(b)) for a, b in zip(first, second, strict=True)]
    kept = [(a, b) for a, b in both if a is not None and b is not None]
    left_out = sum((a is None) != (b is None) for a, b in both)
    return _Pairs(tuple(a for a, _ in kept), tuple(b for _, b in kept), left_out)


def _unjudged(name: str, pair: _Pairs, seed: int, draws: int | None) -> _Unjudged:
    if not pair.first:
        return _Unjudged(name, pair, None, None, None)
    differences = [b - a for a, b in zip(pair.first, pair.second, strict=True)]
    resampled = resampled_means([differences], seed, draws)[0]
    binary = is_binary(pair.first) and is_binary(pair.second)
    test = mcnemar(pair.first, pair.second) if binary else None
    p = resampled.p() if test is None or resampled.rows < 2 else test.mid
    return _Unjudged(name, pair, resampled, test, p)


def _judged(one: _Unjudged, step: Step | None, alpha: float) -> Compared:
    level = alpha if step is None else step.level
    rows = len(one.pair.first)
    return Compared(
        metric=one.metric,
        rows=rows,
        left_out=one.pair.left_out,
        first=math.fsum(one.pair.first) / rows if rows else None,
        second=math.fsum(one.pair.second) / rows if rows else None,
        difference=None if one.resampled is None else one.resampled.value,
        interval=None if one.resampled is None else one.resampled.interval(level),
        level=level,
        p=one.p,
        adjusted=None if step is None else step.p,
        differs=step is not None and step.rejected,
        mcnemar=one.test,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
