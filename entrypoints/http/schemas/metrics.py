"""Final values on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from tracker.domain.metrics.aggregation import ExperimentMetric
from tracker.domain.metrics.metric import Metric
from tracker.domain.projects.project import Aggregation, Direction

from .wire import Bounded64, CamelBody, LabelText, MetricNameText

__all__ = ["MetricLog", "MetricOut", "ProjectMetricOut", "ValueIn", "metric_out", "project_metric_out"]


class ValueIn(CamelBody):
    """A final value."""

    name: MetricNameText
    value: Annotated[float, Field(strict=True, allow_inf_nan=False)]
    step: Bounded64 = 0
    label: LabelText | None = None


class MetricLog(ValueIn):
    """A final value; the same experiment, name, label and step again replaces it."""

    experiment_id: UUID
    direction: Any = Field(default=None, description="Ignored: old clients send it")


class MetricOut(TypedDict):
    """A final value."""

    id: UUID
    experimentId: UUID
    name: str
    value: float
    step: int
    label: str | None
    createdAt: datetime


class ProjectMetricOut(TypedDict):
    """The value by which an experiment is judged on one tracked metric."""

    experimentId: UUID
    name: str
    label: str | None
    direction: Direction
    aggregation: Aggregation
    value: float
    step: int | None


def metric_out(metric: Metric) -> MetricOut:
    """A value as the API shows it."""
    return {
        "id": metric.id,
        "experimentId": metric.experiment_id,
        "name": metric.name,
        "value": metric.value,
        "step": metric.step,
        "label": metric.label,
        "createdAt": metric.created_at,
    }


def project_metric_out(row: ExperimentMetric) -> ProjectMetricOut:
    """A row of a project's table as the API shows it."""
    definition = row.definition
    return {
        "experimentId": row.experiment_id,
        "name": definition.name,
        "label": definition.label,
        "direction": definition.direction,
        "aggregation": definition.aggregation,
        "value": row.value,
        "step": row.step,
    }
