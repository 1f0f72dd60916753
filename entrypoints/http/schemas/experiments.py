"""Experiments on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, NotRequired
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field
from typing_extensions import TypedDict

from tracker.domain.experiments.ending import LONGEST_REASON, EndKind
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.features import FeaturesDiff, diff, dotted
from tracker.domain.experiments.lifecycle import Status

from .metrics import ValueIn
from .wire import (
    KEPT,
    NO_NUL,
    WHOLE,
    CamelBody,
    Closed,
    DescriptionText,
    Json,
    LabelText,
    NameText,
    absent,
    in_utc,
)

__all__ = [
    "BulkCreate", "ExperimentCreate", "ExperimentEdit", "ExperimentOut", "NameQuery", "RecentQuery",
    "Reorder", "experiment_out",
]  # fmt: skip

_VALUES: Json = {
    "anyOf": [{"type": ["null", "boolean", "number"]}, {"type": "string", **NO_NUL}],
    "description": "Integers have 64 bits",
}
_NESTED: Json = {"type": "object", "minProperties": 1, "additionalProperties": _VALUES}

Tree = Annotated[
    dict[str, Any], Field(description="A JSON object, at most 64 levels deep; integers have 64 bits")
]
Params = Annotated[
    dict[str, Any],
    Field(
        description="Flat and typed; nested objects become dotted names",
        json_schema_extra={"additionalProperties": {"anyOf": [_VALUES, _NESTED]}},
    ),
]
GitDiff = Annotated[str, Field(strict=True, max_length=4_000_000, json_schema_extra=NO_NUL), KEPT]
EndReasonText = Annotated[
    str, Field(strict=True, min_length=1, max_length=LONGEST_REASON, json_schema_extra=NO_NUL), KEPT
]
Color = Annotated[str, Field(strict=True, pattern=r"^#[0-9a-fA-F]{6}$")]
MergedFrom = Annotated[
    list[UUID],
    Field(
        max_length=1000,
        json_schema_extra={"uniqueItems": True},
        description="Further parents: experiments of the same project beside the primary one",
    ),
]
Moment = Annotated[AwareDatetime, AfterValidator(in_utc)]
Position = Annotated[int, Field(strict=True, ge=0, lt=2**31), WHOLE]


class ExperimentEdit(CamelBody):
    """Changes to an experiment; what is left out stays."""

    name: NameText = absent()
    description: DescriptionText = absent()
    status: Status = absent()
    parent_id: UUID | None = Field(default=None, alias="parentExperimentId")
    merged_from: MergedFrom = absent()
    features: Tree = absent()
    features_diff: Any = Field(default=None, description="Ignored: it is computed")
    params: Params = absent()
    git_diff: GitDiff | None = None
    color: Color = absent()
    position: Position = absent(alias="order")
    tags: Annotated[list[LabelText], Field(max_length=100, json_schema_extra={"uniqueItems": True})] = (
        absent()
    )
    progress: Annotated[float, Field(strict=True, ge=0, le=100, allow_inf_nan=False)] = absent()
    end_kind: EndKind | None = Field(
        default=None, description="What made it fail; only with or after the status `failed` (else 409)"
    )
    end_reason: EndReasonText | None = Field(default=None, description="The same in words")

    def changes(self) -> Json:
        """The fields that the request had, as the domain has them."""
        changes = self.given()
        changes.pop("features_diff", None)
        for name in ("tags", "merged_from"):
            if name in changes:
                changes[name] = tuple(changes[name])
        return changes


class ExperimentDraft(ExperimentEdit):
    """A new experiment of a project that is named elsewhere."""

    name: NameText = Field(description="`{num}` in it becomes the project's next number")
    color: Color | None = None  # type: ignore[assignment]  # null: chosen by the server
    position: Position | None = Field(default=None, alias="order")  # type: ignore[assignment]
    started_at: Moment | None = Field(
        default=None, description="Of a run that was made elsewhere; not of a planned one (409)"
    )
    completed_at: Moment | None = Field(
        default=None, description="Of a run that was made elsewhere and has ended (else 409)"
    )


class ExperimentCreate(ExperimentDraft):
    """A new experiment."""

    project_id: UUID
    run_key: UUID | None = Field(
        default=None, description="Where the project has an experiment with this key, it is answered as it is"
    )


class RunDraft(ExperimentDraft):
    """A new experiment with its final values."""

    metrics: Annotated[list[ValueIn], Field(max_length=10_000)] = Field(default=[])

    def changes(self) -> Json:
        """The fields that the request had, as the domain has them."""
        return {**super().changes(), "metrics": [value.given() for value in self.metrics]}


class BulkCreate(CamelBody):
    """New experiments of one project, all or none; a name may mean an earlier one as its parent."""

    project_id: UUID
    experiments: Annotated[list[RunDraft], Field(max_length=1000)]


class NameQuery(Closed):
    """The name that an experiment might get."""

    name: NameText


class Reorder(CamelBody):
    """Experiments that are to stand first, in this order."""

    project_id: UUID
    experiment_ids: Annotated[list[UUID], Field(max_length=100_000, json_schema_extra={"uniqueItems": True})]


class RecentQuery(Closed):
    """Which of the newest."""

    projectId: UUID | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 10


class ChangeOut(TypedDict):
    """A leaf with another value than the parent's."""

    old: Any
    new: Any


class FeaturesDiffOut(TypedDict):
    """Leaves by dotted path, against the parent's features."""

    added: dict[str, Any]
    removed: dict[str, Any]
    changed: dict[str, ChangeOut]


class ExperimentOut(TypedDict):
    """An experiment."""

    id: UUID
    projectId: UUID
    name: str
    description: str
    status: Status
    parentExperimentId: UUID | None
    mergedFrom: Sequence[UUID]
    features: dict[str, Any]
    featuresDiff: FeaturesDiffOut | None
    params: dict[str, Any]
    gitDiff: str | None
    color: str
    order: int
    tags: Sequence[str]
    progress: float
    createdAt: datetime
    createdBy: UUID | None
    startedAt: datetime | None
    completedAt: datetime | None
    endKind: EndKind | None
    endReason: str | None
    heartbeatAt: datetime | None
    runKey: UUID | None
    warnings: NotRequired[Sequence[str]]


def experiment_out(experiment: Experiment, parent: Experiment | None) -> ExperimentOut:
    """An experiment as the API shows it.

    Args:
        experiment: the one.
        parent: its parent, against which its features are compared.
    """
    return {
        "id": experiment.id,
        "projectId": experiment.project_id,
        "name": experiment.name,
        "description": experiment.description,
        "status": experiment.status,
        "parentExperimentId": experiment.parent_id,
        "mergedFrom": experiment.merged_from,
        "features": experiment.features,  # type: ignore[typeddict-item]  # read-only, but encodes as an object
        "featuresDiff": _diff_out(diff(parent.features, experiment.features)) if parent else None,
        "params": experiment.params,  # type: ignore[typeddict-item]
        "gitDiff": experiment.git_diff,
        "color": experiment.color,
        "order": experiment.position,
        "tags": experiment.tags,
        "progress": experiment.progress,
        "createdAt": experiment.created_at,
        "createdBy": experiment.created_by,
        "startedAt": experiment.started_at,
        "completedAt": experiment.completed_at,
        "endKind": experiment.end_kind,
        "endReason": experiment.end_reason,
        "heartbeatAt": experiment.heartbeat_at,
        "runKey": experiment.run_key,
    }


def _diff_out(changes: FeaturesDiff) -> FeaturesDiffOut:
    return {
        "added": {dotted(path): value for path, value in changes.added.items()},
        "removed": {dotted(path): value for path, value in changes.removed.items()},
        "changed": {dotted(path): {"old": old, "new": new} for path, (old, new) in changes.changed.items()},
    }
