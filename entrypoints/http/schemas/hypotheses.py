"""Hypotheses on the wire; their evidence is in :mod:`.evidence`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from tracker.domain.hypotheses.hypothesis import (
    BaselineRule,
    Decision,
    Hypothesis,
    HypothesisStatus,
    Target,
)
from tracker.domain.hypotheses.judged import JudgedHypothesis
from tracker.domain.ids import ExperimentId
from tracker.domain.projects.project import Direction

from .evidence import TargetEvidenceOut, target_evidence_out
from .wire import KEPT, NO_NUL, CamelBody, DescriptionText, Json, LabelText, MetricNameText, absent

__all__ = [
    "DecisionIn", "DecisionOut", "HypothesisCreate", "HypothesisEdit", "HypothesisLink", "HypothesisOut",
    "HypothesisQueryLink", "decision_out", "hypothesis_out",
]  # fmt: skip

_IDS: Json = {"uniqueItems": True}
Title = Annotated[str, Field(strict=True, min_length=1, max_length=200, json_schema_extra=NO_NUL), KEPT]
Reason = Annotated[str, Field(strict=True, min_length=1, max_length=1000, json_schema_extra=NO_NUL), KEPT]
Share = Annotated[float, Field(strict=True, gt=0, lt=1)]
Ids = Annotated[list[UUID], Field(max_length=100_000, json_schema_extra=_IDS)]


class TargetIn(CamelBody):
    """A metric that is to change."""

    name: MetricNameText
    label: LabelText | None = Field(default=None, description="Null: the project's only metric of this name")
    direction: Direction | None = Field(default=None, description="Null: as the project's metric has it")
    weight: Annotated[float, Field(strict=True, gt=0, le=1e6)] = 1.0

    def target(self) -> Target:
        """The domain's value."""
        return Target(name=self.name, label=self.label, direction=self.direction, weight=self.weight)


class HypothesisEdit(CamelBody):
    """Changes to a hypothesis; what is left out, or equals what you are shown, stays. Targets, baseline,
    threshold, alpha and links are chosen by those only who may see metrics and experiments."""

    title: Title = absent()
    description: DescriptionText = absent()
    status: HypothesisStatus = absent(description="Another one than the present one is a decision")
    status_reason: DescriptionText = absent(description="Why, if the status is decided")
    target_metrics: Annotated[list[MetricNameText], Field(max_length=100, json_schema_extra=_IDS)] = absent(
        description="Names of metrics; what is known of those that stay is kept"
    )
    targets: Annotated[
        list[TargetIn],
        Field(max_length=100, description="In place of targetMetrics; (name, label) is unique"),
    ] = absent()
    baseline: BaselineRule | UUID = absent(description="root, parent, best, or the id of an experiment")
    threshold: Share = absent(description="That the score, from -1 to 1, must exceed")
    alpha: Share = absent(description="Bound on false claims of the intervals")
    experiments: Ids = absent(alias="experimentIds")
    queries: Ids = absent(alias="queryIds", description="Saved queries whose experiments are linked too")
    author: Any = Field(default=None, description="Ignored: it is who makes the hypothesis")

    def changes(self) -> Json:
        """The fields that the request had, as the domain has them."""
        changes = self.given()
        changes.pop("author", None)
        names = changes.pop("target_metrics", None)
        if "targets" in changes:
            changes["targets"] = tuple(target.target() for target in self.targets)
        elif names is not None:
            changes["target_names"] = tuple(names)
        for field in ("experiments", "queries"):
            if field in changes:
                changes[field] = tuple(changes[field])
        if isinstance(changes.get("baseline"), UUID):
            changes["baseline"] = ExperimentId(changes["baseline"])
        return changes


class HypothesisCreate(HypothesisEdit):
    """A new hypothesis."""

    project_id: UUID
    title: Title

    def changes(self) -> Json:
        """The fields that the request had, as the domain has them."""
        changes = super().changes()
        names = changes.pop("target_names", ())
        if names:
            changes["targets"] = tuple(Target(name=name) for name in dict.fromkeys(names))
        return changes


class HypothesisLink(CamelBody):
    """An experiment to link."""

    experiment_id: UUID


class HypothesisQueryLink(CamelBody):
    """A saved query whose experiments are to be linked."""

    query_id: UUID


class DecisionIn(CamelBody):
    """What is to count in place of the computed status."""

    status: HypothesisStatus | None = Field(description="Null: the computed one counts again")
    reason: Reason


class DecisionOut(TypedDict):
    """What was decided, and what was computed then."""

    id: UUID
    status: HypothesisStatus | None
    computedStatus: HypothesisStatus
    reason: str
    authorId: UUID | None
    createdAt: datetime


class TargetOut(TypedDict):
    """A metric that is to change."""

    name: str
    label: str | None
    direction: Direction | None
    weight: float


class HypothesisOut(TypedDict):
    """A hypothesis. Numbers are for those who may see metrics and experiments. To those who may not see
    experiments, links are left out, and a baseline that is an experiment is the nil UUID."""

    id: UUID
    projectId: UUID
    title: str
    description: str
    author: str
    authorId: UUID | None
    status: HypothesisStatus
    computedStatus: HypothesisStatus
    targetMetrics: list[str]
    targets: list[TargetOut]
    baseline: str
    threshold: float
    alpha: float
    experimentIds: list[UUID]
    queryIds: list[UUID]
    decision: DecisionOut | None
    score: float | None
    headline: TargetEvidenceOut | None
    createdAt: datetime
    updatedAt: datetime


def decision_out(decision: Decision) -> DecisionOut:
    """A decision as the API shows it."""
    return {
        "id": decision.id,
        "status": decision.status,
        "computedStatus": decision.computed,
        "reason": decision.reason,
        "authorId": decision.author_id,
        "createdAt": decision.at,
    }


def hypothesis_out(judged: JudgedHypothesis) -> HypothesisOut:
    """A hypothesis as the API shows it."""
    one = judged.hypothesis
    return {
        "id": one.id,
        "projectId": one.project_id,
        "title": one.title,
        "description": one.description,
        "author": judged.author,
        "authorId": one.author_id,
        "status": judged.status,
        "computedStatus": judged.computed_status,
        "targetMetrics": list(dict.fromkeys(target.name for target in one.targets)),
        "targets": _targets_out(one),
        "baseline": str(one.baseline),
        "threshold": one.threshold,
        "alpha": one.alpha,
        "experimentIds": list(one.experiments),
        "queryIds": list(one.queries),
        "decision": None if one.decision is None else decision_out(one.decision),
        "score": judged.score,
        "headline": None if judged.headline is None else target_evidence_out(judged.headline),
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
    }


def _targets_out(one: Hypothesis) -> list[TargetOut]:
    return [
        {"name": t.name, "label": t.label, "direction": t.direction, "weight": t.weight} for t in one.targets
    ]
