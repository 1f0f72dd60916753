"""What experiments say of a hypothesis, number by number."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from tracker.domain.experiments.lifecycle import Status
from tracker.domain.hypotheses.hypothesis import HypothesisStatus
from tracker.domain.ids import ExperimentId
from tracker.domain.projects.project import Direction

__all__ = ["Absence", "Evidence", "Group", "Interval", "LeftOut", "Mentioned", "TargetEvidence", "Unit"]

Interval = tuple[float, float]


class Absence(StrEnum):
    """Why a linked experiment says nothing of a metric."""

    NOT_STARTED = "not_started"
    NO_VALUE = "no_value"
    NO_PARENT = "no_parent"
    OWN_BASELINE = "own_baseline"
    BASELINE_DELETED = "baseline_deleted"
    NO_BASELINE = "no_baseline"
    BASELINE_WITHOUT_VALUE = "baseline_without_value"


class LeftOut(NamedTuple):
    """A linked experiment that says nothing of a metric, and why."""

    experiment_id: ExperimentId
    name: str
    label: str | None
    reason: Absence


class Unit(NamedTuple):
    """What one experiment says of one metric.

    Attributes:
        value: the experiment's.
        baseline: the mean of its baseline's replicates.
        delta: by how much it is better, in the metric's unit; negative when it is worse.
        scale: the project's spread of the metric, or what stands in for it.
        normalized: ``tanh(delta / scale)``.
        stability: 1 / (1 + scatter of the series' end / scale).
        replication: n / (n + 1).
        confidence: status x stability x replication.
        score: confidence x normalized.
    """

    experiment_id: ExperimentId
    name: str
    label: str | None
    value: float
    baseline: float
    delta: float
    scale: float
    normalized: float
    stability: float
    replication: float
    confidence: float
    score: float


class Group(NamedTuple):
    """Replicates against the replicates of their baseline, by one metric.

    Attributes:
        experiments, baseline: those whose values count, by id.
        mean, baseline_mean: their means; `mean` is ``None`` when all of them failed.
        effect: by how much the mean is better, in the metric's unit.
        interval: of the effect, at the target's level; with three complete replicates on both sides.
        p: of Welch's test.
        score: the mean of the units' scores.
    """

    name: str
    label: str | None
    experiments: tuple[ExperimentId, ...]
    baseline: tuple[ExperimentId, ...]
    mean: float | None
    baseline_mean: float
    effect: float | None
    interval: Interval | None
    p: float | None
    score: float

    @property
    def n(self) -> int:
        """How many experiments count."""
        return len(self.experiments)


class TargetEvidence(NamedTuple):
    """What all experiments say of one metric.

    Attributes:
        effect: the mean improvement in the metric's unit, over the groups that have an interval, or over
            all groups where none has one; each counts by its size.
        interval: of the effect.
        level: of the interval, such as 0.95: one less its part of alpha by Holm's procedure.
        p: of no effect, by itself.
        adjusted_p: the smallest alpha, of all targets together, at which the interval would exclude 0.
        n, baseline_n: experiments on which the effect rests, on both sides.
        score: the mean of the units' scores.
    """

    name: str
    label: str | None
    direction: Direction
    weight: float
    effect: float | None
    interval: Interval | None
    level: float | None
    p: float | None
    adjusted_p: float | None
    n: int
    baseline_n: int
    score: float | None


class Mentioned(NamedTuple):
    """An experiment that evidence names."""

    id: ExperimentId
    name: str
    status: Status


class Evidence(NamedTuple):
    """The computed verdict and all it rests on.

    Attributes:
        status: that counts: as decided, else the computed one.
        computed_status: what the numbers say.
        score: between -1 and 1; ``None`` when nothing could be compared.
        threshold: that the score must exceed.
        alpha: bound on the probability that any interval sees what is not there.
        why: the verdict in words.
        targets: in the order of the hypothesis.
        groups, units, left_out: by target, then by id.
        experiments: all that are linked, and all they are compared with, by id.
    """

    status: HypothesisStatus
    computed_status: HypothesisStatus
    score: float | None
    threshold: float
    alpha: float
    why: str
    targets: tuple[TargetEvidence, ...]
    groups: tuple[Group, ...]
    units: tuple[Unit, ...]
    left_out: tuple[LeftOut, ...]
    experiments: tuple[Mentioned, ...]

    @property
    def headline(self) -> TargetEvidence | None:
        """The target that says most: of those with an interval the one with the smallest p (the first of
        equals), else the first that has an effect."""
        tested = [target for target in self.targets if target.p is not None]
        if tested:
            return min(tested, key=lambda target: target.p or 0.0)
        return next((target for target in self.targets if target.effect is not None), None)
