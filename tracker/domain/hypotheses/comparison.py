"""Linked experiments against their baselines, by one metric."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tracker.domain.experiments.lifecycle import Status
from tracker.domain.hypotheses.baselines import Baselines
from tracker.domain.hypotheses.evidence import Absence, LeftOut, Unit
from tracker.domain.hypotheses.facts import ExperimentRow, Facts, Measure, mean
from tracker.domain.ids import ExperimentId
from tracker.domain.statistics.contrast import Estimate, Weighted, contrast

__all__ = ["Cell", "Comparison", "compare", "estimate"]

FEWEST_FOR_AN_INTERVAL = 3
SMALLEST_SCALE = 1e-12

_CONFIDENCE = {Status.COMPLETE: 1.0, Status.RUNNING: 0.5, Status.FAILED: 0.0, Status.PLANNED: 0.0}


class Cell(NamedTuple):
    """A replicate group and its baseline.

    Attributes:
        own, reference: the experiments whose values count, on both sides, by id.
        values, reference_values: theirs.
        units: of all linked experiments of the group that have a value.
        has_ended: whether all that count are complete.
    """

    own: tuple[ExperimentId, ...]
    values: tuple[float, ...]
    reference: tuple[ExperimentId, ...]
    reference_values: tuple[float, ...]
    units: tuple[Unit, ...]
    has_ended: bool

    @property
    def has_interval(self) -> bool:
        """Whether there are enough complete replicates on both sides."""
        return self.has_ended and min(len(self.own), len(self.reference)) >= FEWEST_FOR_AN_INTERVAL


class Comparison(NamedTuple):
    """What the linked experiments say of one metric.

    Attributes:
        cells: by the first experiment of the group.
        left_out: experiments that say nothing, and why.
        void: failed experiments that could have been compared: they count as evidence of 0.
    """

    measure: Measure
    cells: tuple[Cell, ...]
    left_out: tuple[LeftOut, ...]
    void: frozenset[ExperimentId]


def compare(
    linked: Sequence[ExperimentRow], measure: Measure, baselines: Baselines, facts: Facts
) -> Comparison:
    """Puts replicates together and compares each group with the replicates of its baseline.

    Args:
        linked: by id.
        measure: by which metric.
        baselines: with what.
        facts: of the project.
    """
    grouped: dict[tuple[ExperimentId, ExperimentId], list[ExperimentRow]] = {}
    left: list[LeftOut] = []
    void: set[ExperimentId] = set()
    for row in linked:
        base = _baseline(row, measure, baselines, facts)
        if isinstance(base, Absence):
            left.append(LeftOut(row.id, measure.name, measure.label, base))
            continue
        if row.status is Status.FAILED:
            void.add(row.id)
        if facts.value(row.id, measure) is None:
            left.append(LeftOut(row.id, measure.name, measure.label, Absence.NO_VALUE))
            continue
        key = (facts.replicates(row.id)[0], facts.replicates(base)[0])
        grouped.setdefault(key, []).append(row)
    cells = tuple(_cell(grouped[key], key[1], measure, facts) for key in sorted(grouped))
    return Comparison(measure, cells, tuple(left), frozenset(void))


def estimate(cells: Iterable[Cell], measure: Measure, facts: Facts) -> Estimate | None:
    """The mean improvement over the groups that can have an interval, each counting by its size.

    A class of replicates has one variance wherever it stands: as a group, as the baseline of several
    groups, or as both. One group against its baseline is Welch's test.
    """
    chosen = [cell for cell in cells if cell.has_interval]
    total = sum(len(cell.own) for cell in chosen)
    weights: dict[ExperimentId, float] = {}
    for cell in chosen:
        share = measure.sign * len(cell.own) / total
        for each in cell.own:
            weights[each] = weights.get(each, 0.0) + share / len(cell.own)
        for each in cell.reference:
            weights[each] = weights.get(each, 0.0) - share / len(cell.reference)
    classes: dict[ExperimentId, list[Weighted]] = {}
    for each in sorted(weights):
        value = facts.value(each, measure)
        assert value is not None, "only experiments that have a value count"
        classes.setdefault(facts.replicates(each)[0], []).append((weights[each], value))
    return contrast(list(classes.values()))


def _baseline(
    row: ExperimentRow, measure: Measure, baselines: Baselines, facts: Facts
) -> ExperimentId | Absence:
    if row.status is Status.PLANNED:
        return Absence.NOT_STARTED
    base = baselines.of(row.id, measure)
    if isinstance(base, Absence):
        return base
    rows = [facts.experiments[each] for each in facts.replicates(base)]
    return base if _counting(rows, measure, facts) else Absence.BASELINE_WITHOUT_VALUE


def _counting(rows: Iterable[ExperimentRow], measure: Measure, facts: Facts) -> tuple[ExperimentId, ...]:
    """Those whose values count: the complete ones, or while there are none those that run."""
    valued = [row for row in rows if facts.value(row.id, measure) is not None]
    for status in (Status.COMPLETE, Status.RUNNING):
        found = tuple(row.id for row in valued if row.status is status)
        if found:
            return found
    return ()


def _cell(rows: Sequence[ExperimentRow], base: ExperimentId, measure: Measure, facts: Facts) -> Cell:
    reference = _counting([facts.experiments[each] for each in facts.replicates(base)], measure, facts)
    own = _counting(rows, measure, facts)
    values, reference_values = (_values(ids, measure, facts) for ids in (own, reference))
    baseline = mean(reference_values)
    scale = facts.spread(measure) or max(abs(baseline), SMALLEST_SCALE)
    n = sum(row.status is not Status.FAILED for row in rows)
    units = tuple(_unit(row, measure, facts, baseline=baseline, scale=scale, n=n) for row in rows)
    has_ended = all(facts.experiments[each].status is Status.COMPLETE for each in (*own, *reference))
    return Cell(own, values, reference, reference_values, units, has_ended)


def _values(ids: Iterable[ExperimentId], measure: Measure, facts: Facts) -> tuple[float, ...]:
    found = (facts.value(each, measure) for each in ids)
    return tuple(value for value in found if value is not None)


def _unit(
    row: ExperimentRow, measure: Measure, facts: Facts, *, baseline: float, scale: float, n: int
) -> Unit:
    (value,) = _values([row.id], measure, facts)
    delta = measure.sign * (value - baseline)
    ratio = delta / scale if math.isfinite(delta) else measure.sign * (value / scale - baseline / scale)
    normalized = math.tanh(ratio)
    stability = 1 / (1 + facts.tail(row.id, measure) / scale)
    replication = n / (n + 1)
    confidence = _CONFIDENCE[row.status] * stability * replication
    return Unit(
        row.id, measure.name, measure.label, value, baseline, delta, scale, normalized, stability,
        replication, confidence, confidence * normalized,
    )  # fmt: skip
