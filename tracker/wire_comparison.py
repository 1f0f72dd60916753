"""Between the JSON of comparisons and the domain's values, as a client sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tracker.domain.comparison.budget import AtBudget, BudgetComparison
from tracker.domain.comparison.code import CodeState, FileChange
from tracker.domain.comparison.compared import Compared, Comparison
from tracker.domain.comparison.differences import Difference
from tracker.domain.comparison.importance import Importance, Kind, Method, ParamImportance
from tracker.domain.comparison.matrix import Matrix, MatrixCell, MatrixColumn, MatrixRow
from tracker.domain.comparison.metrics import Contrast, MetricCell, MetricRow
from tracker.domain.comparison.pareto import Front, FrontMember, Objective
from tracker.domain.comparison.trees import TreeState
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.projects.project import Direction
from tracker.domain.scalars.series import Axis

__all__ = ["budget_from", "comparison_from", "front_from", "importance_from", "matrix_from"]

Json = Mapping[str, Any]


def comparison_from(found: Json) -> Comparison:
    """What differs between experiments."""
    metrics = found.get("metrics")
    return Comparison(
        experiments=tuple(
            Compared(
                _id(one["id"]), ProjectId(UUID(one["projectId"])), one["name"], Status(one["status"]),
                _id_or_none(one["parentExperimentId"]),
            )
            for one in found["experiments"]
        ),
        baseline_id=_id(found["baselineId"]),
        params=tuple(map(_difference_from, found["params"])),
        features=tuple(map(_difference_from, found["features"])),
        code=tuple(
            CodeState(
                _id(one["experimentId"]), one["known"], one["same"],
                tuple(FileChange(f["path"], f["added"], f["removed"]) for f in one["files"]),
            )
            for one in found["code"]
        ),
        trees=tuple(
            TreeState(
                _id(one["experimentId"]), one["known"], one["same"], one["files"],
                tuple(one["added"]), tuple(one["removed"]), tuple(one["changed"]),
            )
            for one in found["trees"]
        ),
        environment=tuple(map(_difference_from, found["environment"])),
        metrics=None if metrics is None else tuple(map(_row_from, metrics)),
        words=found["words"],
    )  # fmt: skip


def budget_from(found: Json) -> BudgetComparison:
    """Experiments at one budget."""
    rows = (
        AtBudget(
            _id(one["experimentId"]), one["name"], _number(one["value"]), one["best"], one["step"],
            one["elapsed"], one["points"], one["reached"],
        )
        for one in found["rows"]
    )  # fmt: skip
    return BudgetComparison(
        found["name"], Direction(found["direction"]), Axis(found["axis"]), found["at"], tuple(rows),
        tuple(map(_id, found["ahead"])), found["words"],
    )  # fmt: skip


def matrix_from(found: Json) -> Matrix:
    """A page of a project's table."""
    columns = (
        MatrixColumn(one["name"], one["label"], _direction(one["direction"]), one["best"])
        for one in found["columns"]
    )
    rows = (
        MatrixRow(
            _id(one["id"]), one["name"], Status(one["status"]), _id_or_none(one["parentExperimentId"]),
            tuple(
                MatrixCell(
                    _number(cell["value"]), cell["best"], _number(cell["parentDelta"]),
                    _number(cell["baselineDelta"]),
                )
                for cell in one["cells"]
            ),
        )
        for one in found["items"]
    )  # fmt: skip
    return Matrix(tuple(columns), tuple(rows), _id_or_none(found["baselineId"]), found["nextCursor"])


def front_from(found: Json) -> Front:
    """A Pareto front."""
    return Front(
        tuple(Objective(m["name"], m["label"], Direction(m["direction"])) for m in found["metrics"]),
        tuple(
            FrontMember(_id(one["id"]), one["name"], tuple(map(float, one["values"])))
            for one in found["members"]
        ),
        found["considered"],
        found["excluded"],
    )


def importance_from(found: Json) -> Importance:
    """The importance of parameters."""
    params = (ParamImportance(**{**one, "kind": Kind(one["kind"])}) for one in found["params"])
    return Importance(
        found["name"], found["label"], Method(found["method"]), found["runs"], found["excluded"],
        tuple(params), tuple(found["warnings"]),
    )  # fmt: skip


def _difference_from(found: Json) -> Difference:
    return Difference(tuple(found["path"]), {_id(key): value for key, value in found["values"].items()})


def _row_from(found: Json) -> MetricRow:
    cells = (
        MetricCell(
            _id(one["experimentId"]), _number(one["value"]), _number(one["delta"]), one["best"],
            None if one["contrast"] is None else _contrast_from(one["contrast"]),
        )
        for one in found["cells"]
    )  # fmt: skip
    return MetricRow(found["name"], found["label"], _direction(found["direction"]), tuple(cells))


def _contrast_from(found: Json) -> Contrast:
    low, high = map(float, found["interval"])
    return Contrast(
        found["mean"], found["baselineMean"], float(found["effect"]), low, high, found["level"], found["p"],
        found["adjustedP"], found["n"], found["baselineN"],
    )  # fmt: skip


def _number(value: float | str | None) -> float | None:
    return None if value is None else float(value)


def _direction(text: str | None) -> Direction | None:
    return None if text is None else Direction(text)


def _id(text: str) -> ExperimentId:
    return ExperimentId(UUID(text))


def _id_or_none(text: str | None) -> ExperimentId | None:
    return None if text is None else _id(text)
