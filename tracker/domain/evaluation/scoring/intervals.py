"""Means with what is known of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from tracker.domain.evaluation.scoring.mcnemar import is_binary
from tracker.domain.evaluation.scoring.resampling import Resampled, resampled_means

__all__ = ["ALPHA", "SEED", "IntervalKind", "Mean", "means", "wilson"]

ALPHA = 0.05
SEED = 0
_NORMAL_95 = 1.959963984540054


class IntervalKind(StrEnum):
    """How an interval was found."""

    BOOTSTRAP = "bootstrap"
    WILSON = "wilson"
    NONE = "none"


class Mean(NamedTuple):
    """A mean over rows.

    Attributes:
        value: of the rows that have a score; ``None`` when none has.
        interval: 95 %; ``None`` for fewer than four rows, or when all rows are the same and what they
            could have been is not known.
        kind: how it was found.
        rows: how many have a score.
        missing: how many have none: they are left out, not counted as 0.
    """

    value: float | None
    interval: tuple[float, float] | None
    kind: IntervalKind
    rows: int
    missing: int


def means(
    metrics: Mapping[str, Sequence[float | None]], seed: int = SEED, draws: int | None = None
) -> dict[str, Mean]:
    """The mean of each metric with its bootstrap 95 % interval.

    The bootstrap cannot see what no row shows: when all scores are equal it gives a point. Where they
    are all 0 or all 1, Wilson's interval is given instead, which knows that the next row may differ; for
    other scores there is none.

    Args:
        metrics: of each its scores by row; not finite ones count as missing.
        seed: of the resamples; the same rows with the same seed give the same intervals.
        draws: resamples; by default as many as there is reason for.
    """
    found: dict[str, Mean] = {}
    alike: dict[tuple[int, ...], list[str]] = {}
    scores = {name: _finite(values) for name, values in metrics.items()}
    for name, values in scores.items():
        alike.setdefault(tuple(values), []).append(name)
    for rows, names in alike.items():
        columns = [list(scores[name].values()) for name in names]
        resampled = resampled_means(columns, seed, draws) if rows else []
        for place, name in enumerate(names):
            missing = len(metrics[name]) - len(rows)
            found[name] = (
                _mean(columns[place], resampled[place], missing)
                if rows
                else Mean(None, None, IntervalKind.NONE, 0, missing)
            )
    return {name: found[name] for name in metrics}


def _mean(values: Sequence[float], resampled: Resampled, missing: int) -> Mean:
    rows = len(values)
    if rows < 2 or min(values) == max(values):
        if rows >= 2 and is_binary(values):
            hits = round(math.fsum(values))
            return Mean(resampled.value, wilson(hits, rows), IntervalKind.WILSON, rows, missing)
        return Mean(resampled.value, None, IntervalKind.NONE, rows, missing)
    interval = resampled.interval(ALPHA)
    kind = IntervalKind.NONE if interval is None else IntervalKind.BOOTSTRAP
    return Mean(resampled.value, interval, kind, rows, missing)


def wilson(hits: int, rows: int) -> tuple[float, float]:
    """The 95 % score interval of a share (E. B. Wilson, J. Amer. Statist. Assoc. 22, 1927).

    Args:
        hits: rows that count.
        rows: all, at least one.
    """
    z2 = _NORMAL_95 * _NORMAL_95
    share = hits / rows
    middle = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    spread = _NORMAL_95 / (1 + z2 / rows) * math.sqrt(share * (1 - share) / rows + z2 / (4 * rows * rows))
    low = 0.0 if hits == 0 else middle - spread
    high = 1.0 if hits == rows else middle + spread
    return low, high


def _finite(values: Sequence[float | None]) -> dict[int, float]:
    return {row: float(v) for row, v in enumerate(values) if v is not None and math.isfinite(v)}
