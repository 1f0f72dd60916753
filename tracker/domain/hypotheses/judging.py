"""From a hypothesis and what is known of its project to the verdict."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from tracker.domain.experiments.lifecycle import Status
from tracker.domain.hypotheses.baselines import Baselines
from tracker.domain.hypotheses.comparison import Cell, Comparison, compare, estimate
from tracker.domain.hypotheses.evidence import Evidence, Group, Interval, Mentioned, TargetEvidence, Unit
from tracker.domain.hypotheses.facts import ExperimentRow, Facts, Measure, mean
from tracker.domain.hypotheses.hypothesis import Hypothesis, HypothesisStatus
from tracker.domain.hypotheses.words import why
from tracker.domain.ids import ExperimentId
from tracker.domain.statistics.contrast import Estimate, welch
from tracker.domain.statistics.holm import holm

__all__ = ["judge"]


def judge(
    hypothesis: Hypothesis, measures: Sequence[Measure], linked: Collection[ExperimentId], facts: Facts
) -> Evidence:
    """What the linked experiments say of the hypothesis.

    The page ``docs/guide/hypotheses.md`` does it by hand, ``docs/decisions/0010-evidence.md`` says why so.

    Args:
        hypothesis: which; its baseline, threshold and alpha count.
        measures: its targets, as the project has them.
        linked: the experiments linked to it, however.
        facts: of its project.
    """
    rows = [facts.experiments[each] for each in sorted(linked) if each in facts.experiments]
    baselines = Baselines(facts, hypothesis.baseline, linked)
    compared = [compare(rows, measure, baselines, facts) for measure in measures]
    estimates = [estimate(one.cells, one.measure, facts) for one in compared]
    tests = holm([each.p for each in estimates if each is not None], hypothesis.alpha)
    steps = iter(tests)
    targets, groups = [], []
    for one, found in zip(compared, estimates, strict=True):
        step = None if found is None else next(steps)
        level = hypothesis.alpha if step is None else step.level
        targets.append(_target(one, found, level, None if step is None else step.p))
        groups += [_group(cell, one.measure, level) for cell in one.cells]
    score = _score(rows, compared)
    status = _status(hypothesis, score, targets, rows)
    left_out = tuple(each for one in compared for each in one.left_out)
    return Evidence(
        status=hypothesis.judged(status),
        computed_status=status,
        score=score,
        threshold=hypothesis.threshold,
        alpha=hypothesis.alpha,
        why=why(
            status, score, hypothesis,
            targets=targets, rows=rows, left_out=left_out, unread=facts.unread,
        ),
        targets=tuple(targets),
        groups=tuple(groups),
        units=tuple(unit for one in compared for cell in one.cells for unit in cell.units),
        left_out=left_out,
        experiments=_mentioned(rows, groups, facts),
    )  # fmt: skip


def _mentioned(rows: Sequence[ExperimentRow], groups: Sequence[Group], facts: Facts) -> tuple[Mentioned, ...]:
    ids = {row.id for row in rows} | {each for group in groups for each in group.baseline}
    return tuple(
        Mentioned(row.id, row.name, row.status) for row in map(facts.experiments.get, sorted(ids)) if row
    )


def _score(rows: Sequence[ExperimentRow], compared: Sequence[Comparison]) -> float | None:
    """The mean over experiments of the weighted mean over their units: with n_g experiments of the mean
    E_g each, groups g together give sum(E_g n_g) / sum(n_g)."""
    parts: dict[ExperimentId, list[tuple[float, float]]] = {row.id: [] for row in rows}
    for one in compared:
        for each in one.void:
            parts[each].append((one.measure.weight, 0.0))
        for unit in _units(one):
            parts[unit.experiment_id].append((one.measure.weight, unit.score))
    scores = [
        math.fsum(weight * score for weight, score in said) / math.fsum(weight for weight, _ in said)
        for said in parts.values()
        if said
    ]
    return mean(scores) if scores else None


def _units(one: Comparison) -> list[Unit]:
    return [unit for cell in one.cells for unit in cell.units]


def _target(
    one: Comparison, found: Estimate | None, level: float, adjusted_p: float | None
) -> TargetEvidence:
    measure = one.measure
    counting = [cell for cell in one.cells if cell.has_interval] if found else _with_values(one.cells)
    n = sum(len(cell.own) for cell in counting)
    effect = found.value if found else _mean_effect(counting, measure, n)
    scores = [unit.score for unit in _units(one)]
    return TargetEvidence(
        name=measure.name,
        label=measure.label,
        direction=measure.direction,
        weight=measure.weight,
        effect=effect,
        interval=found.interval(level) if found else None,
        level=1 - level if found else None,
        p=found.p if found else None,
        adjusted_p=adjusted_p,
        n=n,
        baseline_n=len({each for cell in counting for each in cell.reference}),
        score=mean(scores) if scores else None,
    )


def _with_values(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.own]


def _mean_effect(cells: Sequence[Cell], measure: Measure, n: int) -> float | None:
    if not cells:
        return None
    return math.fsum(_effect(cell, measure) * (len(cell.own) / n) for cell in cells)


def _effect(cell: Cell, measure: Measure) -> float:
    return measure.sign * (mean(cell.values) - mean(cell.reference_values))


def _group(cell: Cell, measure: Measure, level: float) -> Group:
    found = welch(cell.values, cell.reference_values) if cell.has_interval else None
    effect = _effect(cell, measure) if cell.own else None
    interval: Interval | None = None
    if found is not None:
        effect = measure.sign * found.value
        low, high = found.interval(level)
        interval = (low, high) if measure.sign > 0 else (-high, -low)
    return Group(
        name=measure.name,
        label=measure.label,
        experiments=cell.own,
        baseline=cell.reference,
        mean=mean(cell.values) if cell.own else None,
        baseline_mean=mean(cell.reference_values),
        effect=effect,
        interval=interval,
        p=None if found is None else found.p,
        score=mean([unit.score for unit in cell.units]),
    )


def _status(
    hypothesis: Hypothesis,
    score: float | None,
    targets: Sequence[TargetEvidence],
    rows: Sequence[ExperimentRow],
) -> HypothesisStatus:
    intervals = [target.interval for target in targets if target.interval is not None]
    above, below = any(low > 0 for low, _ in intervals), any(high < 0 for _, high in intervals)
    if score is not None and score > hypothesis.threshold and (not intervals or (above and not below)):
        return HypothesisStatus.SUPPORTED
    if score is not None and score < -hypothesis.threshold and (not intervals or (below and not above)):
        return HypothesisStatus.REFUTED
    if all(row.status is Status.PLANNED for row in rows):
        return HypothesisStatus.PROPOSED
    if all(row.status.has_ended for row in rows):
        return HypothesisStatus.INCONCLUSIVE
    return HypothesisStatus.TESTING
