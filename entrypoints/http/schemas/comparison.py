"""Comparisons of experiments on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NotRequired
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from tracker.domain.comparison.budget import AtBudget, BudgetComparison
from tracker.domain.comparison.code import CodeState
from tracker.domain.comparison.compared import Comparison
from tracker.domain.comparison.differences import Difference
from tracker.domain.comparison.metrics import Contrast, MetricCell, MetricRow
from tracker.domain.comparison.service import MOST_COMPARED
from tracker.domain.comparison.trees import TreeState
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId
from tracker.domain.projects.project import Direction
from tracker.domain.scalars.series import Axis

from .wire import Closed, MetricNameText, WireNumber, absent

__all__ = ["BudgetOut", "BudgetQuery", "CompareQuery", "ComparisonOut", "budget_out", "comparison_out"]

Ids = Annotated[
    list[UUID], Field(min_length=1, max_length=MOST_COMPARED, description="Experiments; repeatable")
]


class CompareQuery(Closed):
    """Which experiments, and with what."""

    ids: Ids
    baseline: Annotated[
        UUID, Field(description="By default the parent of the first if it is among them, else the first")
    ] = absent()


class BudgetQuery(Closed):
    """Which experiments, by what, and after how much."""

    ids: Ids
    name: Annotated[MetricNameText, Field(description="Of a scalar")]
    axis: Annotated[Axis, Field(description="Whether the budget is counted in steps or in time")] = Axis.STEP
    at: Annotated[
        float,
        Field(
            ge=-(2.0**63), le=2.0**63, allow_inf_nan=False,
            description="Steps, or seconds since a run started; by default the most that all came to",
        ),
    ] = absent()  # fmt: skip
    direction: Annotated[Direction, Field(description="By default as the project tracks it")] = absent()


class ComparedOut(TypedDict):
    """An experiment that is compared."""

    id: UUID
    projectId: UUID
    name: str
    status: Status
    parentExperimentId: UUID | None


class DifferenceOut(TypedDict):
    """A leaf in which experiments differ: the value of each by its id; who is not there lacks it."""

    name: str
    path: list[str]
    values: Mapping[ExperimentId, Any]


class FileChangeOut(TypedDict):
    """What a git diff does to a file, in lines."""

    path: str
    added: int
    removed: int


class CodeOut(TypedDict):
    """The uncommitted changes of an experiment; `same` as the baseline's, null where one kept none."""

    experimentId: UUID
    known: bool
    same: bool | None
    files: list[FileChangeOut]


class TreeOut(TypedDict):
    """The files of an experiment's newest snapshot; `same` as the baseline's, null where one has none."""

    experimentId: UUID
    known: bool
    same: bool | None
    files: int
    added: list[str]
    removed: list[str]
    changed: list[str]


class ContrastOut(TypedDict):
    """The complete replicates against those of the baseline; effect and interval are improvements."""

    mean: float
    baselineMean: float
    effect: WireNumber
    interval: list[WireNumber]
    level: float
    p: float
    adjustedP: float
    n: int
    baselineN: int


class MetricCellOut(TypedDict):
    """One experiment by one metric; `delta` is an improvement over the baseline."""

    experimentId: UUID
    value: WireNumber | None
    delta: WireNumber | None
    best: bool
    contrast: ContrastOut | None


class MetricRowOut(TypedDict):
    """One metric of all experiments; without a direction deltas are plain differences."""

    key: str
    name: str
    label: str | None
    direction: Direction | None
    cells: list[MetricCellOut]


class ComparisonOut(TypedDict):
    """What differs, and what came of it; no `metrics` for whom may see none."""

    experiments: list[ComparedOut]
    baselineId: UUID
    params: list[DifferenceOut]
    features: list[DifferenceOut]
    code: list[CodeOut]
    trees: list[TreeOut]
    environment: list[DifferenceOut]
    metrics: NotRequired[list[MetricRowOut]]
    words: str | None


class AtBudgetOut(TypedDict):
    """One experiment at the budget; `elapsed` in seconds."""

    experimentId: UUID
    name: str
    value: WireNumber | None
    best: float | None
    step: int | None
    elapsed: float | None
    points: int
    reached: bool


class BudgetOut(TypedDict):
    """Experiments by one scalar when all had had the same; `ahead` of those that came so far."""

    name: str
    direction: Direction
    axis: Axis
    at: float | None
    rows: list[AtBudgetOut]
    ahead: list[UUID]
    words: str


def comparison_out(found: Comparison) -> ComparisonOut:
    """A comparison as the API shows it."""
    shown: ComparisonOut = {
        "experiments": [
            {
                "id": each.id,
                "projectId": each.project_id,
                "name": each.name,
                "status": each.status,
                "parentExperimentId": each.parent_id,
            }
            for each in found.experiments
        ],
        "baselineId": found.baseline_id,
        "params": [_difference_out(each) for each in found.params],
        "features": [_difference_out(each) for each in found.features],
        "code": [_code_out(each) for each in found.code],
        "trees": [_tree_out(each) for each in found.trees],
        "environment": [_difference_out(each) for each in found.environment],
        "words": found.words,
    }
    if found.metrics is not None:
        shown["metrics"] = [_row_out(each) for each in found.metrics]
    return shown


def budget_out(found: BudgetComparison) -> BudgetOut:
    """A comparison at one budget as the API shows it."""
    return {
        "name": found.scalar,
        "direction": found.direction,
        "axis": found.axis,
        "at": found.at,
        "rows": [_at_out(each) for each in found.rows],
        "ahead": list(found.ahead),
        "words": found.words,
    }


def _difference_out(found: Difference) -> DifferenceOut:
    return {
        "name": found.name,
        "path": [str(step) for step in found.path],
        "values": found.values,
    }


def _code_out(found: CodeState) -> CodeOut:
    return {
        "experimentId": found.experiment_id,
        "known": found.is_known,
        "same": found.same,
        "files": [{"path": f.path, "added": f.added, "removed": f.removed} for f in found.files],
    }


def _tree_out(found: TreeState) -> TreeOut:
    return {
        "experimentId": found.experiment_id,
        "known": found.is_known,
        "same": found.same,
        "files": found.files,
        "added": list(found.added),
        "removed": list(found.removed),
        "changed": list(found.changed),
    }


def _row_out(row: MetricRow) -> MetricRowOut:
    return {
        "key": row.key,
        "name": row.name,
        "label": row.label,
        "direction": row.direction,
        "cells": [_cell_out(cell) for cell in row.cells],
    }


def _cell_out(cell: MetricCell) -> MetricCellOut:
    return {
        "experimentId": cell.experiment_id,
        "value": cell.value,
        "delta": cell.delta,
        "best": cell.is_best,
        "contrast": None if cell.contrast is None else _contrast_out(cell.contrast),
    }


def _contrast_out(found: Contrast) -> ContrastOut:
    return {
        "mean": found.mean,
        "baselineMean": found.baseline_mean,
        "effect": found.effect,
        "interval": [found.low, found.high],
        "level": found.level,
        "p": found.p,
        "adjustedP": found.adjusted_p,
        "n": found.n,
        "baselineN": found.baseline_n,
    }


def _at_out(row: AtBudget) -> AtBudgetOut:
    return {
        "experimentId": row.experiment_id,
        "name": row.name,
        "value": row.value,
        "best": row.best,
        "step": row.step,
        "elapsed": row.elapsed,
        "points": row.points,
        "reached": row.reached,
    }
