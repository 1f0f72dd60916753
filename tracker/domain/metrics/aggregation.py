"""From the values of a metric to the one by which an experiment is judged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

from tracker.domain.frozen import Frozen
from tracker.domain.ids import ExperimentId
from tracker.domain.metrics.metric import Metric
from tracker.domain.projects.project import Aggregation, Direction, MetricDefinition

__all__ = ["ExperimentMetric", "Final", "aggregate", "improvement", "table"]


class ExperimentMetric(Frozen):
    """The value of one tracked metric for one experiment.

    Attributes:
        step: the step it was logged at; ``None`` for an average.
    """

    experiment_id: ExperimentId
    definition: MetricDefinition
    value: float
    step: int | None


class Final(Protocol):
    """A final value, or a row that has one."""

    @property
    def value(self) -> float:
        """It."""
        ...

    @property
    def step(self) -> int:
        """Where it was logged."""
        ...


def aggregate(definition: MetricDefinition, values: Sequence[Final]) -> tuple[float, int | None]:
    """The value that counts, and its step.

    Args:
        definition: says which value counts.
        values: one experiment's values of that name and label; at least one.
    """
    match definition.aggregation:
        case Aggregation.AVERAGE:
            # fsum of quotients: the plain sum of large values can overflow to infinity.
            return math.fsum(metric.value / len(values) for metric in values), None
        case Aggregation.LAST:
            chosen = max(values, key=lambda metric: metric.step)
        case Aggregation.BEST:
            sign = 1 if definition.direction is Direction.MAXIMIZE else -1
            chosen = max(values, key=lambda metric: (sign * metric.value, -metric.step))
    return chosen.value, chosen.step


def table(definitions: Iterable[MetricDefinition], metrics: Iterable[Metric]) -> tuple[ExperimentMetric, ...]:
    """One value for each experiment and tracked metric that has any, experiments in given order."""
    groups: dict[tuple[ExperimentId, str, str | None], list[Metric]] = {}
    order: dict[ExperimentId, None] = {}
    for metric in metrics:
        order.setdefault(metric.experiment_id)
        groups.setdefault((metric.experiment_id, metric.name, metric.label), []).append(metric)
    rows = []
    tracked = tuple(definitions)
    for experiment_id in order:
        for definition in tracked:
            values = groups.get((experiment_id, definition.name, definition.label))
            if values:
                value, step = aggregate(definition, values)
                rows.append(
                    ExperimentMetric(
                        experiment_id=experiment_id, definition=definition, value=value, step=step
                    )
                )
    return tuple(rows)


def improvement(definition: MetricDefinition, value: float, baseline: float) -> float:
    """By how much `value` is better than `baseline`; negative when it is worse."""
    return value - baseline if definition.direction is Direction.MAXIMIZE else baseline - value
