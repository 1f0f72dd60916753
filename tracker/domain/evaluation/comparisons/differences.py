"""The results of two workflows as differences, and which of these are more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from tracker.domain.errors import Conflict
from tracker.domain.evaluation.results import flat_means
from tracker.domain.evaluation.scoring.intervals import ALPHA, SEED
from tracker.domain.evaluation.scoring.names import spec_of
from tracker.domain.evaluation.scoring.paired import Compared, compare
from tracker.domain.projects.project import Direction

__all__ = ["Beside", "Better", "TestedMetric", "UntestedValue", "beside", "row_scores"]


class Better(StrEnum):
    """Which of two did better."""

    FIRST = "first"
    SECOND = "second"
    NEITHER = "neither"
    """The difference may be chance."""


class TestedMetric(NamedTuple):
    """A metric that has a score for each row.

    Attributes:
        compared: both means, their difference, its interval, and p.
        direction: which way is better.
        better: which is, all metrics together at 5 %.
    """

    compared: Compared
    direction: Direction
    better: Better


class UntestedValue(NamedTuple):
    """A value of which no row tells, such as BLEU of the corpus, or of which neither way is better.

    Attributes:
        name: as :func:`~tracker.domain.evaluation.results.flat_means` names it.
        first, second: of each workflow; ``None`` where it has none.
        difference: of the second less the first.
    """

    name: str
    first: float | None
    second: float | None
    difference: float | None


class Beside(NamedTuple):
    """Two workflows beside each other.

    Attributes:
        rows: that both were evaluated on.
        metrics: with a test of each, by Holm over all of them.
        values: without.
    """

    rows: int
    metrics: tuple[TestedMetric, ...]
    values: tuple[UntestedValue, ...]


def beside(
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    *,
    alpha: float = ALPHA,
    seed: int = SEED,
    draws: int | None = None,
) -> Beside:
    """The second workflow less the first.

    Args:
        first: its evaluation's result, or the compiled one.
        second: the same of the other.
        alpha: for all metrics together.
        seed: of the resamples.
        draws: resamples; by default as many as there is reason for.

    Raises:
        Conflict: they are not of the same rows.
    """
    truths = [document["artifacts"]["ground_truth"] for document in (first, second)]
    rows = [len(document["artifacts"]["predictions"]) for document in (first, second)]
    if rows[0] != rows[1] or truths[0] != truths[1]:
        raise Conflict("the two were not evaluated on the same rows: their ground truth differs")
    scores = [row_scores(document) for document in (first, second)]
    compared = compare(scores[0], scores[1], alpha=alpha, seed=seed, draws=draws)
    metrics = tuple(_judged(each) for each in compared)
    return Beside(rows[0], metrics, _values(first, second, {each.metric for each in compared}))


def row_scores(document: Mapping[str, Any]) -> dict[str, Sequence[float | None]]:
    """The series of a result of which one way is better, by the names of their means in ``flat_means``."""
    found: dict[str, Sequence[float | None]] = {}
    for metric, entry in document["metrics"].items():
        if not isinstance(entry, Mapping) or _direction(metric) is None:
            continue
        for series in entry:
            if f"{series}_mean" in entry:
                found[metric if series == metric else f"{metric}.{series}"] = entry[series]
    return found


def _direction(name: str) -> Direction | None:
    """Which way a metric is better; the user's own rubrics go upwards."""
    spec = spec_of(name)
    return Direction.MAXIMIZE if spec is None else spec.direction


def _judged(compared: Compared) -> TestedMetric:
    direction = _direction(compared.metric.partition(".")[0]) or Direction.MAXIMIZE
    difference = compared.difference or 0.0
    if not compared.differs or difference == 0:
        return TestedMetric(compared, direction, Better.NEITHER)
    is_second = (difference > 0) == (direction is Direction.MAXIMIZE)
    return TestedMetric(compared, direction, Better.SECOND if is_second else Better.FIRST)


def _values(
    first: Mapping[str, Any], second: Mapping[str, Any], tested: set[str]
) -> tuple[UntestedValue, ...]:
    means = flat_means(first), flat_means(second)
    names = [name for name in dict.fromkeys([*means[0], *means[1]]) if name not in tested]
    return tuple(_value(name, means[0].get(name), means[1].get(name)) for name in names)


def _value(name: str, first: float | None, second: float | None) -> UntestedValue:
    difference = None if first is None or second is None else second - first
    return UntestedValue(name, first, second, difference)
