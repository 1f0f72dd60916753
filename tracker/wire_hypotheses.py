"""Between the JSON of the HTTP API and hypotheses, as a client sees it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_camel

from tracker.domain.experiments.lifecycle import Status
from tracker.domain.hypotheses.evidence import (
    Absence,
    Evidence,
    Group,
    LeftOut,
    Mentioned,
    TargetEvidence,
    Unit,
)
from tracker.domain.hypotheses.hypothesis import (
    BaselineRule,
    Decision,
    Hypothesis,
    HypothesisStatus,
    Target,
)
from tracker.domain.hypotheses.judged import JudgedHypothesis
from tracker.domain.ids import DecisionId, ExperimentId, HypothesisId, ProjectId, SavedQueryId, UserId
from tracker.domain.projects.project import Direction

__all__ = ["body_of_hypothesis", "decision_from", "evidence_from", "judged_from"]

Json = Mapping[str, Any]
_WIRE_NAMES = {"experiments": "experimentIds", "queries": "queryIds"}


def judged_from(found: Json) -> JudgedHypothesis:
    """A hypothesis with its verdict; its version is not told and stays 0."""
    decision, key = found["decision"], UUID(found["id"])
    return JudgedHypothesis(
        hypothesis=Hypothesis(
            id=HypothesisId(key),
            project_id=ProjectId(UUID(found["projectId"])),
            title=found["title"],
            description=found["description"],
            author_id=_user(found["authorId"]),
            targets=tuple(map(_target_from, found["targets"])),
            baseline=_baseline(found["baseline"]),
            threshold=found["threshold"],
            alpha=found["alpha"],
            experiments=_experiments(found["experimentIds"]),
            queries=tuple(SavedQueryId(UUID(each)) for each in found["queryIds"]),
            decision=None if decision is None else decision_from(decision, key),
            created_at=datetime.fromisoformat(found["createdAt"]),
            updated_at=datetime.fromisoformat(found["updatedAt"]),
        ),
        author=found["author"],
        computed_status=HypothesisStatus(found["computedStatus"]),
        score=found["score"],
        headline=None if found["headline"] is None else _target_evidence_from(found["headline"]),
    )


def decision_from(found: Json, hypothesis_id: UUID) -> Decision:
    """What was decided about the hypothesis of this id."""
    return Decision(
        id=DecisionId(UUID(found["id"])),
        hypothesis_id=HypothesisId(hypothesis_id),
        status=None if found["status"] is None else HypothesisStatus(found["status"]),
        computed=HypothesisStatus(found["computedStatus"]),
        reason=found["reason"],
        author_id=_user(found["authorId"]),
        at=datetime.fromisoformat(found["createdAt"]),
    )


def evidence_from(found: Json) -> Evidence:
    """What experiments say of a hypothesis."""
    return Evidence(
        status=HypothesisStatus(found["status"]),
        computed_status=HypothesisStatus(found["computedStatus"]),
        score=found["score"],
        threshold=found["threshold"],
        alpha=found["alpha"],
        why=found["why"],
        targets=tuple(map(_target_evidence_from, found["targets"])),
        groups=tuple(map(_group_from, found["groups"])),
        units=tuple(map(_unit_from, found["units"])),
        left_out=tuple(
            LeftOut(_experiment(one["experimentId"]), one["name"], one["label"], Absence(one["reason"]))
            for one in found["leftOut"]
        ),
        experiments=tuple(
            Mentioned(_experiment(one["id"]), one["name"], Status(one["status"]))
            for one in found["experiments"]
        ),
    )


def body_of_hypothesis(fields: Json) -> dict[str, Any]:
    """Fields of a hypothesis under the API's names."""
    return {_WIRE_NAMES.get(name) or to_camel(name): _json(value) for name, value in fields.items()}


def _json(value: Any) -> Any:
    match value:
        case Target():
            return value.model_dump(mode="json")
        case UUID():
            return str(value)
        case tuple() | list():
            return [_json(item) for item in value]
    return value


def _target_from(found: Json) -> Target:
    direction = found["direction"]
    return Target(**{**found, "direction": None if direction is None else Direction(direction)})


def _target_evidence_from(found: Json) -> TargetEvidence:
    return TargetEvidence(
        name=found["name"],
        label=found["label"],
        direction=Direction(found["direction"]),
        weight=found["weight"],
        effect=_number(found["effect"]),
        interval=_bounds(found["interval"]),
        level=found["level"],
        p=found["p"],
        adjusted_p=found["adjustedP"],
        n=found["n"],
        baseline_n=found["baselineN"],
        score=found["score"],
    )


def _group_from(found: Json) -> Group:
    return Group(
        name=found["name"],
        label=found["label"],
        experiments=_experiments(found["experimentIds"]),
        baseline=_experiments(found["baselineIds"]),
        mean=_number(found["mean"]),
        baseline_mean=float(found["baselineMean"]),
        effect=_number(found["effect"]),
        interval=_bounds(found["interval"]),
        p=found["p"],
        score=found["score"],
    )


def _unit_from(found: Json) -> Unit:
    numbers = Unit._fields[3:]
    key = _experiment(found["experimentId"])
    return Unit(key, found["name"], found["label"], *(float(found[name]) for name in numbers))


def _number(value: float | str | None) -> float | None:
    return None if value is None else float(value)


def _bounds(value: list[float | str] | None) -> tuple[float, float] | None:
    return None if value is None else (float(value[0]), float(value[1]))


def _experiment(text: str) -> ExperimentId:
    return ExperimentId(UUID(text))


def _experiments(texts: list[str]) -> tuple[ExperimentId, ...]:
    return tuple(map(_experiment, texts))


def _user(text: str | None) -> UserId | None:
    return None if text is None else UserId(UUID(text))


def _baseline(text: str) -> BaselineRule | ExperimentId:
    return BaselineRule(text) if text in list(BaselineRule) else _experiment(text)
