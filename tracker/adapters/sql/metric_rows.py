"""Metrics and their definitions as rows have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.adapters.sql.session import Row
from tracker.domain.metrics.metric import Metric
from tracker.domain.projects.project import Aggregation, Direction, MetricDefinition

__all__ = ["definition_from", "metric_from"]


def metric_from(row: Row) -> Metric:
    """A final value."""
    return Metric(**{**row._mapping, "label": row.label or None})


def definition_from(stored: Mapping[str, Any]) -> MetricDefinition:
    """A metric that a project tracks."""
    return MetricDefinition(
        name=stored["name"],
        direction=Direction(stored["direction"]),
        aggregation=Aggregation(stored["aggregation"]),
        label=stored["label"],
    )
