"""Routes of comparing experiments."""

from __future__ import annotations

from tracker.domain.identity.policy import Action

from ..api.comparison import Comparisons
from ..route import Route, Scope
from ..schemas.comparison import BudgetOut, BudgetQuery, CompareQuery, ComparisonOut
from ..schemas.project_comparison import (
    FrontOut,
    ImportanceOut,
    ImportanceQuery,
    MatrixOut,
    MatrixQuery,
    ParetoQuery,
)

__all__ = ["COMPARISON"]

_PROJECT = "/api/projects/{project_id}"

COMPARISON: tuple[Route, ...] = (
    Route(
        "GET", "/api/experiments/compare", Comparisons, "compare", Action.EXPERIMENTS_VIEW, Scope.EXPERIMENT,
        "Tells what differs between experiments, and whether it mattered", ComparisonOut, query=CompareQuery,
    ),
    Route(
        "GET", "/api/experiments/compare/budget", Comparisons, "at_budget",
        Action.SCALARS_VIEW, Scope.EXPERIMENT,
        "Tells which experiment was ahead after the same steps or time", BudgetOut, query=BudgetQuery,
    ),
    Route(
        "GET", f"{_PROJECT}/table", Comparisons, "matrix", Action.EXPERIMENTS_VIEW, Scope.PROJECT,
        "Shows a project's experiments by its metrics, with deltas", MatrixOut, query=MatrixQuery,
    ),
    Route(
        "GET", f"{_PROJECT}/pareto", Comparisons, "front", Action.METRICS_VIEW, Scope.PROJECT,
        "Finds the experiments that no other one beats by all metrics at once", FrontOut, query=ParetoQuery,
    ),
    Route(
        "GET", f"{_PROJECT}/importance", Comparisons, "importance", Action.METRICS_VIEW, Scope.PROJECT,
        "Ranks parameters by how far they go with a metric", ImportanceOut, query=ImportanceQuery,
    ),
)  # fmt: skip
