from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.errors import Invalid
from tracker.domain.ids import ExperimentId, MetricId
from tracker.domain.metrics.aggregation import aggregate, improvement, table
from tracker.domain.metrics.metric import Metric
from tracker.domain.projects.project import Aggregation, Direction, MetricDefinition

RUN, OTHER = ExperimentId(UUID(int=1)), ExperimentId(UUID(int=2))


def logged(value: float, step: int = 0, label: str | None = None, run: ExperimentId = RUN) -> Metric:
    return Metric(
        id=MetricId(UUID(int=step + 10)),
        experiment_id=run,
        name="acc",
        value=value,
        step=step,
        label=label,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def tracked(direction: Direction, aggregation: Aggregation, label: str | None = None) -> MetricDefinition:
    return MetricDefinition(name="acc", direction=direction, aggregation=aggregation, label=label)


VALUES = [logged(0.5, 3), logged(0.9, 1), logged(0.1, 2)]


@pytest.mark.parametrize(
    ("direction", "aggregation", "expected"),
    [
        (Direction.MAXIMIZE, Aggregation.LAST, (0.5, 3)),
        (Direction.MAXIMIZE, Aggregation.BEST, (0.9, 1)),
        (Direction.MINIMIZE, Aggregation.BEST, (0.1, 2)),
        (Direction.MINIMIZE, Aggregation.AVERAGE, (0.5, None)),
    ],
)
def test_the_definition_says_which_value_counts(
    direction: Direction, aggregation: Aggregation, expected: tuple[float, int | None]
) -> None:
    value, step = aggregate(tracked(direction, aggregation), VALUES)
    assert (pytest.approx(value), step) == expected


def test_the_average_of_the_largest_numbers_is_finite() -> None:
    huge = [logged(1.7e308, 0), logged(1.7e308, 1)]
    assert aggregate(tracked(Direction.MAXIMIZE, Aggregation.AVERAGE), huge)[0] == 1.7e308


def test_values_under_another_label_do_not_count() -> None:
    definition = tracked(Direction.MAXIMIZE, Aggregation.BEST, label="val")
    rows = table([definition], [logged(0.9), logged(0.4, label="val"), logged(0.8, run=OTHER)])
    assert [(row.experiment_id, row.value) for row in rows] == [(RUN, 0.4)]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), "much"])
def test_a_final_value_is_a_finite_number(value: float) -> None:
    with pytest.raises(Invalid, match="value"):
        logged(value)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_no_value_is_better_than_the_best(values: list[float]) -> None:
    metrics = [logged(value, step) for step, value in enumerate(values)]
    for direction in Direction:
        definition = tracked(direction, Aggregation.BEST)
        best, step = aggregate(definition, metrics)
        assert step is not None
        assert values[step] == best
        assert all(improvement(definition, value, best) <= 0 for value in values)
