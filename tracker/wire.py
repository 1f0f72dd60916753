"""Between the JSON of the HTTP API and the domain's entities, as a client sees it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_camel

from tracker.domain.experiments.branch import AbandonedValue, Branch
from tracker.domain.experiments.ending import EndKind
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.graph import Graph, Member
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.experiments.names import NameCheck
from tracker.domain.frozen import Frozen
from tracker.domain.ids import BranchId, ExperimentId, MetricId, ProjectId, TeamId, UserId
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
    "body_of_run",
    "branch_from",
    "experiment_from",
    "graph_from",
    "metric_from",
    "name_check_from",
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
        parent_id=_experiment_id(found["parentExperimentId"]),
        merged_from=tuple(ExperimentId(UUID(each)) for each in found["mergedFrom"]),
        features=found["features"],
        params=found["params"],
        git_diff=found["gitDiff"],
        color=found["color"],
        position=found["order"],
        tags=tuple(found["tags"]),
        progress=found["progress"],
        created_at=datetime.fromisoformat(found["createdAt"]),
        created_by=UserId(UUID(found["createdBy"])) if found["createdBy"] else None,
        started_at=_moment(found["startedAt"]),
        completed_at=_moment(found["completedAt"]),
        # A server that is older than these does not tell them.
        end_kind=EndKind(found["endKind"]) if found.get("endKind") else None,
        end_reason=found.get("endReason"),
        heartbeat_at=_moment(found.get("heartbeatAt")),
        run_key=UUID(found["runKey"]) if found.get("runKey") else None,
    )


def branch_from(found: Json) -> Branch:
    """What a resumed run left behind."""
    return Branch(
        id=BranchId(UUID(found["id"])),
        experiment_id=ExperimentId(UUID(found["experimentId"])),
        project_id=ProjectId(UUID(found["projectId"])),
        from_step=found["fromStep"],
        made_at=datetime.fromisoformat(found["madeAt"]),
        made_by=UserId(UUID(found["madeBy"])) if found["madeBy"] else None,
        is_made=True,
        values=tuple(
            AbandonedValue(
                name=each["name"],
                label=each["label"],
                step=each["step"],
                value=float(each["value"]),
                created_at=datetime.fromisoformat(each["createdAt"]),
            )
            for each in found["values"]
        ),
        points=found["points"],
    )


def graph_from(found: Json) -> Graph:
    """A project's experiments and what came from what; depths and edges follow from them."""
    return Graph(
        tuple(
            Member(
                id=ExperimentId(UUID(node["id"])),
                name=node["name"],
                status=Status(node["status"]),
                parent_id=_experiment_id(node["parentExperimentId"]),
                merged_from=tuple(ExperimentId(UUID(each)) for each in node["mergedFrom"]),
                color=node["color"],
                position=node["order"],
                tags=tuple(node["tags"]),
                created_at=datetime.fromisoformat(node["createdAt"]),
            )
            for node in found["nodes"]
        )
    )


def name_check_from(found: Json) -> NameCheck:
    """What creating an experiment of a name would do."""
    parent = found["parent"]
    return NameCheck(
        name=found["name"],
        pattern=found["pattern"],
        fields=found["fields"],
        parent_id=parent and ExperimentId(UUID(parent["id"])),
        parent_name=parent and parent["name"],
        why=found["why"],
        next_number=found["nextNumber"],
        is_taken=found["taken"],
        warnings=tuple(found["warnings"]),
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


def body_of_run(fields: Json) -> dict[str, Any]:
    """Fields of an experiment that comes with its final values."""
    metrics = [
        {key: number_text(value) if key == "value" else value for key, value in metric.items()}
        for metric in fields.get("metrics") or ()
    ]
    return {**body_of_experiment(fields), "metrics": metrics}


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
    if isinstance(value, datetime):
        return value.isoformat()
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


def _experiment_id(text: str | None) -> ExperimentId | None:
    return ExperimentId(UUID(text)) if text else None


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
