"""Between the JSON of the HTTP API and the domain's entities, as a client sees it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_camel

from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.frozen import Frozen
from tracker.domain.ids import ExperimentId, MetricId, ProjectId, TeamId, UserId
from tracker.domain.json_tree import thaw
from tracker.domain.metrics.aggregation import ExperimentMetric
from tracker.domain.metrics.metric import Metric
from tracker.domain.projects.project import (
    Aggregation,
    Direction,
    MetricDefinition,
    Project,
    ProjectSettings,
)
from tracker.domain.scalars.series import SeriesSummary

__all__ = [
    "body_of_experiment",
    "body_of_project",
    "experiment_from",
    "metric_from",
    "number_text",
    "project_from",
    "summary_from",
    "table_row_from",
]

Json = Mapping[str, Any]
_WIRE_NAMES = {"parent_id": "parentExperimentId", "position": "order"}


def project_from(found: Json) -> Project:
    """A project; its version is not told and stays 0."""
    settings = found["settings"]
    return Project(
        id=ProjectId(UUID(found["id"])),
        name=found["name"],
        description=found["description"],
        owner_id=UserId(UUID(found["owner"]["id"])),
        team_id=TeamId(UUID(found["team"]["id"])) if found["team"] else None,
        metrics=tuple(_definition_from(each) for each in found["metrics"]),
        settings=ProjectSettings(
            naming_patterns=tuple(settings["namingPatterns"]),
            display_metrics=tuple(settings["displayMetrics"]),
            replicate_keys=tuple(settings["replicateKeys"]),
        ),
        created_at=datetime.fromisoformat(found["createdAt"]),
    )


def experiment_from(found: Json) -> Experiment:
    """An experiment; its version is not told and stays 0."""
    return Experiment(
        id=ExperimentId(UUID(found["id"])),
        project_id=ProjectId(UUID(found["projectId"])),
        name=found["name"],
        description=found["description"],
        status=Status(found["status"]),
        parent_id=ExperimentId(UUID(found["parentExperimentId"])) if found["parentExperimentId"] else None,
        features=found["features"],
        params=found["params"],
        git_diff=found["gitDiff"],
        color=found["color"],
        position=found["order"],
        tags=tuple(found["tags"]),
        progress=found["progress"],
        created_at=datetime.fromisoformat(found["createdAt"]),
        started_at=_moment(found["startedAt"]),
        completed_at=_moment(found["completedAt"]),
    )


def metric_from(found: Json) -> Metric:
    """A final value."""
    return Metric(
        id=MetricId(UUID(found["id"])),
        experiment_id=ExperimentId(UUID(found["experimentId"])),
        name=found["name"],
        value=found["value"],
        step=found["step"],
        label=found["label"],
        created_at=datetime.fromisoformat(found["createdAt"]),
    )


def table_row_from(found: Json) -> ExperimentMetric:
    """The value that counts."""
    return ExperimentMetric(
        experiment_id=ExperimentId(UUID(found["experimentId"])),
        definition=_definition_from(found),
        value=float(found["value"]),
        step=found["step"],
    )


def summary_from(found: Json) -> SeriesSummary:
    """One series in numbers."""
    return SeriesSummary(
        **{
            **found,
            "experiment_id": ExperimentId(UUID(found["experiment_id"])),
            "last_value": float(found["last_value"]),
        }
    )


def body_of_experiment(fields: Json) -> dict[str, Any]:
    """Fields of an experiment under the API's names."""
    return {_WIRE_NAMES.get(name) or to_camel(name): _json(value) for name, value in fields.items()}


def body_of_project(fields: Json) -> dict[str, Any]:
    """Fields of a project under the API's names."""
    return {to_camel(name): _json(value) for name, value in fields.items()}


def number_text(value: float) -> float | str:
    """A number as JSON can carry it: the three that it has no token for are text."""
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _json(value: Any) -> Any:
    if isinstance(value, Frozen):
        return body_of_project(dict(value))
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, tuple | list):
        return [_json(item) for item in value]
    return thaw(value)


def _definition_from(found: Json) -> MetricDefinition:
    return MetricDefinition(
        name=found["name"],
        direction=Direction(found["direction"]),
        aggregation=Aggregation(found["aggregation"]),
        label=found.get("label"),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
