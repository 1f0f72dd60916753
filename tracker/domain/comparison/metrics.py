"""Metrics side by side."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from tracker.domain.hypotheses.facts import ValueKey, mean
from tracker.domain.ids import ExperimentId
from tracker.domain.metrics.summary import MetricSummary
from tracker.domain.projects.project import Direction, MetricDefinition
from tracker.domain.search.found import metric_key
from tracker.domain.statistics.contrast import welch
from tracker.domain.statistics.holm import holm

__all__ = [
    "ALPHA",
    "Contrast",
    "Measured",
    "MetricCell",
    "MetricKey",
    "MetricRow",
    "improvement",
    "metric_rows",
]

ALPHA = 0.05
"""The probability that any interval of one experiment misses the truth."""

MetricKey = tuple[str, str | None]
"""Name and label of a metric."""


class Contrast(NamedTuple):
    """The replicates of an experiment against those of the baseline, by one metric.

    Attributes:
        mean, baseline_mean: of the complete replicates.
        effect: by how much the mean is better (of a metric without a direction: larger).
        low, high: bounds of Welch's interval of the effect.
        level: of the interval, such as 0.95: one less its part of alpha by Holm's procedure over the metrics
            that this experiment is tested by.
        p: of no effect, by itself.
        adjusted_p: the same by Holm's procedure.
        n, baseline_n: replicates on both sides.
    """

    mean: float
    baseline_mean: float
    effect: float
    low: float
    high: float
    level: float
    p: float
    adjusted_p: float
    n: int
    baseline_n: int


class MetricCell(NamedTuple):
    """One experiment by one metric.

    Attributes:
        value: what it is judged by; ``None`` when it has none, or none that may be seen.
        delta: by how much it is better than the baseline (of a metric without a direction: larger);
            ``None`` for the baseline, and where one of the two values is missing or not finite.
        is_best: whether none of the others is better; never of a metric without a direction.
        contrast: with replicates on both sides.
    """

    experiment_id: ExperimentId
    value: float | None
    delta: float | None
    is_best: bool
    contrast: Contrast | None


class MetricRow(NamedTuple):
    """One metric of all experiments.

    Attributes:
        direction: which way is better; ``None`` when the project does not track it.
        cells: in the order of the experiments.
    """

    name: str
    label: str | None
    direction: Direction | None
    cells: tuple[MetricCell, ...]

    @property
    def key(self) -> str:
        """``name`` or ``name[label]``."""
        return metric_key(self.name, self.label)


class Measured:
    """The numbers of experiments and of their replicates.

    Args:
        summaries: of all of them.
        definitions: what their projects track; of two that name one metric the first counts.
        replicates: of each experiment, those that differ from it in replicate keys only, and itself.
        complete: those of them that have ended well.
    """

    def __init__(
        self,
        summaries: Iterable[MetricSummary],
        definitions: Iterable[MetricDefinition],
        replicates: Mapping[ExperimentId, Sequence[ExperimentId]],
        complete: Collection[ExperimentId],
    ) -> None:
        self.values: Mapping[ValueKey, float] = {
            (s.experiment_id, s.name, s.label): s.value for s in summaries
        }
        self.directions: dict[MetricKey, Direction] = {}
        for each in definitions:
            self.directions.setdefault((each.name, each.label), each.direction)
        self._replicates = replicates
        self._complete = complete

    def finite(self, experiment_id: ExperimentId, key: MetricKey) -> float | None:
        """A value that can be compared."""
        value = self.values.get((experiment_id, *key))
        return value if value is not None and math.isfinite(value) else None

    def sample(self, experiment_id: ExperimentId, key: MetricKey) -> list[float]:
        """The comparable values of its complete replicates."""
        own = (each for each in self._replicates.get(experiment_id, ()) if each in self._complete)
        found = (self.finite(each, key) for each in own)
        return [value for value in found if value is not None]

    def are_replicates(self, one: ExperimentId, other: ExperimentId) -> bool:
        """Whether two differ in replicate keys only."""
        return other in self._replicates.get(one, ())


def improvement(direction: Direction | None, value: float | None, baseline: float | None) -> float | None:
    """By how much a value is better than another; without a direction, larger. ``None`` for what is missing
    or not finite."""
    if value is None or baseline is None or not (math.isfinite(value) and math.isfinite(baseline)):
        return None
    return baseline - value if direction is Direction.MINIMIZE else value - baseline


def metric_rows(
    ids: Sequence[ExperimentId], baseline: ExperimentId, measured: Measured
) -> tuple[MetricRow, ...]:
    """The metrics that any of the experiments has: tracked ones in the project's order, then by name.

    Tested are the tracked metrics, or all where no tracked one is there: every further test makes all
    intervals wider.

    Args:
        ids: the experiments, in order.
        baseline: one of them.
        measured: their numbers.
    """
    present = {(name, label) for experiment_id, name, label in measured.values if experiment_id in set(ids)}
    tracked = [key for key in measured.directions if key in present]
    others = sorted(present - set(tracked), key=lambda key: (key[0], key[1] or ""))
    contrasts = {
        each: _contrasts(each, baseline, tracked or others, measured) for each in ids if each != baseline
    }
    return tuple(_row(key, ids, baseline, measured, contrasts) for key in (*tracked, *others))


def _row(
    key: MetricKey,
    ids: Sequence[ExperimentId],
    baseline: ExperimentId,
    measured: Measured,
    contrasts: Mapping[ExperimentId, Mapping[MetricKey, Contrast]],
) -> MetricRow:
    direction = measured.directions.get(key)
    finite = [value for each in ids if (value := measured.finite(each, key)) is not None]
    best = None
    if finite and direction is not None:
        best = min(finite) if direction is Direction.MINIMIZE else max(finite)
    reference = measured.values.get((baseline, *key))
    cells = []
    for each in ids:
        value = measured.values.get((each, *key))
        delta = None if each == baseline else improvement(direction, value, reference)
        is_best = best is not None and value == best
        cells.append(MetricCell(each, value, delta, is_best, contrasts.get(each, {}).get(key)))
    return MetricRow(*key, direction, tuple(cells))


def _contrasts(
    experiment_id: ExperimentId, baseline: ExperimentId, keys: Sequence[MetricKey], measured: Measured
) -> dict[MetricKey, Contrast]:
    """Of all these metrics by which both sides have replicates."""
    if measured.are_replicates(baseline, experiment_id):
        return {}
    sides = {key: (measured.sample(experiment_id, key), measured.sample(baseline, key)) for key in keys}
    estimates = {key: found for key, side in sides.items() if (found := welch(*side)) is not None}
    steps = holm([each.p for each in estimates.values()], ALPHA)
    contrasts = {}
    for (key, found), step in zip(estimates.items(), steps, strict=True):
        own, reference = sides[key]
        low, high = found.interval(step.level)
        effect = found.value
        if measured.directions.get(key) is Direction.MINIMIZE:
            effect, low, high = -effect, -high, -low
        contrasts[key] = Contrast(
            mean(own), mean(reference), effect, low, high, 1 - step.level, found.p, step.p,
            len(own), len(reference),
        )  # fmt: skip
    return contrasts
