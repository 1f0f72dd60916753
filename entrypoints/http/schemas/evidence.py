"""Evidence on the wire."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from typing_extensions import TypedDict

from tracker.domain.experiments.lifecycle import Status
from tracker.domain.hypotheses.evidence import Absence, Evidence, Group, Interval, TargetEvidence, Unit
from tracker.domain.hypotheses.hypothesis import HypothesisStatus
from tracker.domain.projects.project import Direction
from tracker.wire import number_text

from .wire import WireNumber

__all__ = ["EvidenceOut", "TargetEvidenceOut", "evidence_out", "target_evidence_out"]


class TargetEvidenceOut(TypedDict):
    """What all experiments say of one metric; effect and interval are improvements in its own unit."""

    name: str
    label: str | None
    direction: Direction
    weight: float
    effect: WireNumber | None
    interval: list[WireNumber] | None
    level: float | None
    p: float | None
    adjustedP: float | None
    n: int
    baselineN: int
    score: float | None


class GroupOut(TypedDict):
    """Replicates against the replicates of their baseline, by one metric."""

    name: str
    label: str | None
    experimentIds: list[UUID]
    baselineIds: list[UUID]
    mean: WireNumber | None
    baselineMean: WireNumber
    effect: WireNumber | None
    interval: list[WireNumber] | None
    p: float | None
    n: int
    baselineN: int
    score: float


class UnitOut(TypedDict):
    """What one experiment says of one metric."""

    experimentId: UUID
    name: str
    label: str | None
    value: WireNumber
    baseline: WireNumber
    delta: WireNumber
    scale: WireNumber
    normalized: float
    stability: float
    replication: float
    confidence: float
    score: float


class LeftOutOut(TypedDict):
    """A linked experiment that says nothing of a metric."""

    experimentId: UUID
    name: str
    label: str | None
    reason: Absence


class MentionedOut(TypedDict):
    """An experiment that evidence names."""

    id: UUID
    name: str
    status: Status


class EvidenceOut(TypedDict):
    """The verdict and all it rests on. Effect, interval, n and p are those of the target that says most: the
    one with the smallest p, or without intervals the first that has an effect."""

    status: HypothesisStatus
    computedStatus: HypothesisStatus
    score: float | None
    effect: WireNumber | None
    interval: list[WireNumber] | None
    n: int
    p: float | None
    threshold: float
    alpha: float
    why: str
    targets: list[TargetEvidenceOut]
    groups: list[GroupOut]
    units: list[UnitOut]
    leftOut: list[LeftOutOut]
    experiments: list[MentionedOut]


def evidence_out(evidence: Evidence) -> EvidenceOut:
    """Evidence as the API shows it."""
    headline = evidence.headline
    shown: Any = {} if headline is None else target_evidence_out(headline)
    return {
        "status": evidence.status,
        "computedStatus": evidence.computed_status,
        "score": evidence.score,
        "effect": shown.get("effect"),
        "interval": shown.get("interval"),
        "n": shown.get("n", 0),
        "p": shown.get("p"),
        "threshold": evidence.threshold,
        "alpha": evidence.alpha,
        "why": evidence.why,
        "targets": [target_evidence_out(each) for each in evidence.targets],
        "groups": [_group_out(each) for each in evidence.groups],
        "units": [_unit_out(each) for each in evidence.units],
        "leftOut": [
            {
                "experimentId": each.experiment_id,
                "name": each.name,
                "label": each.label,
                "reason": each.reason,
            }
            for each in evidence.left_out
        ],
        "experiments": [
            {"id": each.id, "name": each.name, "status": each.status} for each in evidence.experiments
        ],
    }


def target_evidence_out(target: TargetEvidence) -> TargetEvidenceOut:
    """What is known of one metric, as the API shows it."""
    return {
        "name": target.name,
        "label": target.label,
        "direction": target.direction,
        "weight": target.weight,
        "effect": _number(target.effect),
        "interval": _bounds(target.interval),
        "level": target.level,
        "p": target.p,
        "adjustedP": target.adjusted_p,
        "n": target.n,
        "baselineN": target.baseline_n,
        "score": target.score,
    }


def _group_out(group: Group) -> GroupOut:
    return {
        "name": group.name,
        "label": group.label,
        "experimentIds": list(group.experiments),
        "baselineIds": list(group.baseline),
        "mean": _number(group.mean),
        "baselineMean": number_text(group.baseline_mean),  # type: ignore[typeddict-item]
        "effect": _number(group.effect),
        "interval": _bounds(group.interval),
        "p": group.p,
        "n": group.n,
        "baselineN": len(group.baseline),
        "score": group.score,
    }


def _unit_out(unit: Unit) -> UnitOut:
    numbers: Any = {
        name: number_text(getattr(unit, name))
        for name in (
            "value", "baseline", "delta", "scale", "normalized", "stability", "replication", "confidence",
            "score",
        )
    }  # fmt: skip
    shown: Any = {"experimentId": unit.experiment_id, "name": unit.name, "label": unit.label, **numbers}
    return cast("UnitOut", shown)


def _number(value: float | None) -> Any:
    return None if value is None else number_text(value)


def _bounds(interval: Interval | None) -> Any:
    return None if interval is None else [number_text(bound) for bound in interval]
