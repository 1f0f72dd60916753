"""A project's experiments by their metrics on the wire: table, Pareto front, importance."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from tracker.domain.comparison.importance import Importance, Kind, Method
from tracker.domain.comparison.matrix import Matrix, MatrixRow
from tracker.domain.comparison.pareto import Front
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.projects.project import Direction

from .search import FilterText, OrderText
from .wire import KEPT, NO_NUL, Closed, WireNumber, absent

__all__ = [
    "FrontOut", "ImportanceOut", "ImportanceQuery", "MatrixOut", "MatrixQuery", "ParetoQuery", "front_out",
    "importance_out", "matrix_out",
]  # fmt: skip

MetricText = Annotated[
    str,
    Field(
        strict=True, min_length=1, max_length=1000, json_schema_extra={**NO_NUL, "format": "search-metric"}
    ),
    KEPT,
]


class MatrixQuery(Closed):
    """Which rows."""

    filter: Annotated[FilterText, Field(description="Such as `params.lr < 0.01`")] = ""
    orderBy: Annotated[OrderText, Field(description="Such as `-val.acc,name`; the newest first")] = ""
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: Annotated[str, Field(json_schema_extra={"format": "search-cursor"})] = absent()
    baseline: Annotated[UUID, Field(description="An experiment that every row is compared with")] = absent()


class ParetoQuery(Closed):
    """By which metrics."""

    metric: Annotated[
        list[MetricText],
        Field(
            min_length=2, max_length=10, json_schema_extra={"uniqueItems": True},
            description="As a filter names it; repeatable. One that is not tracked gets better by growing",
        ),
    ]  # fmt: skip
    minimize: Annotated[
        list[MetricText],
        Field(max_length=10, description="Those that get better by falling, whatever the project says"),
    ] = Field(default=[])
    filter: FilterText = ""


class ImportanceQuery(Closed):
    """For which metric, and how."""

    metric: Annotated[MetricText, Field(description="As a filter names it")]
    method: Annotated[Method, Field(description="`forest` takes an extra on the server")] = Method.RANK
    filter: FilterText = ""


class MatrixColumnOut(TypedDict):
    """A metric; `best` of all that the filter finds."""

    key: str
    name: str
    label: str | None
    direction: Direction | None
    best: float | None


class MatrixCellOut(TypedDict):
    """One experiment by one metric; deltas are improvements."""

    value: WireNumber | None
    best: bool
    parentDelta: WireNumber | None
    baselineDelta: WireNumber | None


class MatrixRowOut(TypedDict):
    """One experiment, with a cell for each column."""

    id: UUID
    name: str
    status: Status
    parentExperimentId: UUID | None
    cells: list[MatrixCellOut]


class MatrixOut(TypedDict):
    """A page of the table."""

    columns: list[MatrixColumnOut]
    items: list[MatrixRowOut]
    baselineId: UUID | None
    nextCursor: str | None


class ObjectiveOut(TypedDict):
    """A metric that is to become better."""

    key: str
    name: str
    label: str | None
    direction: Direction


class FrontMemberOut(TypedDict):
    """An experiment that nothing beats in every way, with a value for each metric."""

    id: UUID
    name: str
    values: list[WireNumber]


class FrontOut(TypedDict):
    """A Pareto front; `excluded` lack a value."""

    metrics: list[ObjectiveOut]
    members: list[FrontMemberOut]
    considered: int
    excluded: int


class ParamImportanceOut(TypedDict):
    """How far a parameter goes with the metric; `note` says why nothing can be said."""

    name: str
    kind: Kind
    importance: float | None
    correlation: float | None
    n: int
    missing: int
    distinct: int
    note: str | None


class ImportanceOut(TypedDict):
    """Parameters, the most important first."""

    name: str
    label: str | None
    method: Method
    runs: int
    excluded: int
    params: list[ParamImportanceOut]
    warnings: list[str]


def matrix_out(found: Matrix) -> MatrixOut:
    """A page of the table as the API shows it."""
    return {
        "columns": [
            {"key": c.key, "name": c.name, "label": c.label, "direction": c.direction, "best": c.best}
            for c in found.columns
        ],
        "items": [_row_out(row) for row in found.rows],
        "baselineId": found.baseline_id,
        "nextCursor": found.next_cursor,
    }


def front_out(found: Front) -> FrontOut:
    """A Pareto front as the API shows it."""
    return {
        "metrics": [
            {"key": each.key, "name": each.name, "label": each.label, "direction": each.direction}
            for each in found.objectives
        ],
        "members": [
            {"id": each.id, "name": each.name, "values": list(each.values)} for each in found.members
        ],
        "considered": found.considered,
        "excluded": found.excluded,
    }


def importance_out(found: Importance) -> ImportanceOut:
    """The importance of parameters as the API shows it."""
    return {
        "name": found.name,
        "label": found.label,
        "method": found.method,
        "runs": found.runs,
        "excluded": found.excluded,
        "params": [
            {
                "name": each.name,
                "kind": each.kind,
                "importance": each.importance,
                "correlation": each.correlation,
                "n": each.n,
                "missing": each.missing,
                "distinct": each.distinct,
                "note": each.note,
            }
            for each in found.params
        ],
        "warnings": list(found.warnings),
    }


def _row_out(row: MatrixRow) -> MatrixRowOut:
    return {
        "id": row.id,
        "name": row.name,
        "status": row.status,
        "parentExperimentId": row.parent_id,
        "cells": [
            {
                "value": cell.value,
                "best": cell.is_best,
                "parentDelta": cell.parent_delta,
                "baselineDelta": cell.baseline_delta,
            }
            for cell in row.cells
        ],
    }
