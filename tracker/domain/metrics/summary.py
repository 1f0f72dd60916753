"""What is known of a metric of one experiment without reading its points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tracker.domain.ids import ExperimentId
from tracker.domain.metrics.aggregation import Final, aggregate
from tracker.domain.projects.project import MetricDefinition

__all__ = ["MetricSummary", "SeriesMark", "summarize"]


class SeriesMark(NamedTuple):
    """What a time series was like when somebody last looked.

    There may be hundreds of thousands, so it is a row, not a validated entity.

    Attributes:
        experiment_id, name: of which series.
        points: how many it had, non-finite ones too; at least one.
        last: the value at its highest step.
        min, max: of its finite values; NaN when it has none.
    """

    experiment_id: ExperimentId
    name: str
    points: int
    last: float
    min: float
    max: float


class MetricSummary(NamedTuple):
    """One metric of one experiment in numbers.

    Attributes:
        value: what the experiment is judged by: of its final values the one that the project's definition
            chooses (the last, where the project tracks no such metric), else the last point of its series.
        last, min, max: of its series if it has one, else of its final values; NaN where no finite ones are.
        finals: how many final values there are.
        points: how many points its series had when somebody last looked.
    """

    experiment_id: ExperimentId
    name: str
    label: str | None
    value: float
    last: float
    min: float
    max: float
    finals: int
    points: int


def summarize(
    key: tuple[ExperimentId, str, str | None],
    definition: MetricDefinition | None,
    finals: Sequence[Final],
    series: SeriesMark | None,
) -> MetricSummary:
    """Puts final values and the series of one metric together; at least one of them must be there.

    Args:
        key: experiment, name and label of the metric; a series has no label.
        definition: the project's, if it tracks the metric.
        finals: the experiment's values of that name and label.
        series: that of the same name.
    """
    if finals:
        last = max(finals, key=lambda metric: metric.step).value
        value = last if definition is None else aggregate(definition, finals)[0]
        low, high = min(m.value for m in finals), max(m.value for m in finals)
    elif series is not None:
        value = series.last
    if series is None:
        return MetricSummary(*key, value, last, low, high, len(finals), 0)
    return MetricSummary(
        *key, value, series.last, series.min, series.max,
        len(finals), series.points,
    )  # fmt: skip
