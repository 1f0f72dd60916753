"""How far two raters agree beyond chance: a judge and people, or two judges."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from enum import StrEnum
from typing import NamedTuple

from tracker.domain.errors import Invalid
from tracker.domain.evaluation.scoring.intervals import ALPHA, SEED
from tracker.domain.evaluation.scoring.resampling import resampled_scores

__all__ = ["Agreement", "Weights", "agreement", "kappa"]

MOST_CATEGORIES = 50


class Weights(StrEnum):
    """How far apart two categories count as being."""

    NONE = "none"
    """Equal or not."""
    LINEAR = "linear"
    """By their distance in the order of categories."""
    QUADRATIC = "quadratic"
    """By its square."""


class Agreement(NamedTuple):
    """Cohen's kappa.

    Attributes:
        kappa: 1 = always, 0 = as often as chance; ``None`` when one category is all that either used.
        interval: 95 %, bootstrap; ``None`` where there is none.
        observed: the share of rows on which both said the same.
        rows: that both rated.
    """

    kappa: float | None
    interval: tuple[float, float] | None
    observed: float
    rows: int


def agreement(
    first: Sequence[float | str | None],
    second: Sequence[float | str | None],
    *,
    categories: Sequence[float | str] | None = None,
    weights: Weights = Weights.NONE,
    seed: int = SEED,
    draws: int | None = None,
) -> Agreement:
    """Cohen's kappa over the rows that both rated, with its bootstrap interval.

    J. Cohen, "A coefficient of agreement for nominal scales", Educ. Psychol. Meas. 20 (1960); with weights,
    Psychol. Bull. 70 (1968): ``1 - sum(w * observed) / sum(w * expected)``.

    Args:
        first: of each row its category; ``None`` = not rated.
        second: the same rows.
        categories: in their order, which weights need; by default all that were used, sorted.
        weights: how far apart categories are.
        seed: of the resamples.
        draws: resamples; by default as many as there is reason for.

    Raises:
        Invalid: a rating is no category, there are too many, or no row was rated by both.
    """
    both = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    if not both:
        raise Invalid.field("labels", "no row has both a label and a score")
    used: list[float | str] = list(categories) if categories is not None else _sorted_categories(both)
    places = {category: place for place, category in enumerate(used)}
    size = len(used)
    if size > MOST_CATEGORIES:
        raise Invalid.field("labels", f"there are {size} categories, {MOST_CATEGORIES} are allowed")
    for pair in both:
        for rating in pair:
            if rating not in places:
                raise Invalid.field("labels", f"{rating!r} is none of {', '.join(map(str, used))}")
    cells = [places[a] * size + places[b] for a, b in both]
    table = [[float(cell == place) for place in range(size * size)] for cell in cells]
    resampled = resampled_scores(table, lambda sums: kappa(sums, weights), seed, draws)
    same = sum(a == b for a, b in both) / len(both)
    if resampled is None:
        return Agreement(None, None, same, len(both))
    return Agreement(resampled.value, resampled.interval(ALPHA), same, len(both))


def kappa(table: Sequence[float], weights: Weights = Weights.NONE) -> float | None:
    """Of a square table, row by row: how often the first said the row's and the second the column's.

    Returns:
        ``None`` when chance alone would make them agree always.
    """
    size = math.isqrt(len(table))
    total = math.fsum(table)
    rows = [math.fsum(table[i * size : (i + 1) * size]) for i in range(size)]
    columns = [math.fsum(table[j::size]) for j in range(size)]
    observed = expected = 0.0
    for i in range(size):
        for j in range(size):
            weight = _weight(abs(i - j), weights)
            observed += weight * table[i * size + j]
            expected += weight * rows[i] * columns[j]
    return None if expected == 0 else 1 - observed * total / expected


def _weight(distance: int, weights: Weights) -> float:
    match weights:
        case Weights.NONE:
            return float(distance > 0)
        case Weights.LINEAR:
            return float(distance)
    return float(distance * distance)


def _sorted_categories(both: Sequence[tuple[float | str, float | str]]) -> list[float | str]:
    used: set[float | str] = {rating for pair in both for rating in pair}
    kinds: set[Hashable] = {isinstance(rating, str) for rating in used}
    if len(kinds) > 1:
        raise Invalid.field("labels", "some are numbers and some are text; use one of them")
    return sorted(used, key=lambda rating: (rating,))
