"""Comparisons of experiments."""

from __future__ import annotations

from typing import Any

from tracker.domain.comparison.budgets.service import BudgetService
from tracker.domain.comparison.importances.service import ImportanceService
from tracker.domain.comparison.service import ComparisonService
from tracker.domain.ids import ExperimentId, ProjectId

from ..exchange import Call
from ..schemas.comparison import (
    BudgetOut,
    BudgetQuery,
    CompareQuery,
    ComparisonOut,
    budget_out,
    comparison_out,
)
from ..schemas.project_comparison import (
    FrontOut,
    ImportanceOut,
    ImportanceQuery,
    MatrixOut,
    MatrixQuery,
    ParetoQuery,
    front_out,
    importance_out,
    matrix_out,
)

__all__ = ["Comparisons"]


class Comparisons:
    """``/api/experiments/compare``, and what compares all experiments of a project."""

    def __init__(
        self, comparisons: ComparisonService, budgets: BudgetService, importances: ImportanceService
    ) -> None:
        self._comparisons = comparisons
        self._budgets = budgets
        self._importances = importances

    async def compare(self, call: Call[None, CompareQuery]) -> ComparisonOut:
        """What differs, and what came of it."""
        asked = call.query
        ids = [ExperimentId(each) for each in asked.ids]
        baseline = None if asked.baseline is None else ExperimentId(asked.baseline)
        return comparison_out(await self._comparisons.compare(call.actor, ids, baseline))

    async def at_budget(self, call: Call[None, BudgetQuery]) -> BudgetOut:
        """Who was ahead when all had had the same."""
        asked = call.query
        ids = [ExperimentId(each) for each in asked.ids]
        found = await self._budgets.compare(
            call.actor, ids, asked.name, axis=asked.axis, at=asked.at, direction=asked.direction
        )
        return budget_out(found)

    async def matrix(self, call: Call[None, MatrixQuery]) -> MatrixOut:
        """A page of a project's experiments by its metrics."""
        asked = call.query
        found = await self._comparisons.matrix(
            call.actor,
            _project(call),
            filter=asked.filter,
            order_by=asked.orderBy,
            limit=asked.limit,
            cursor=asked.cursor,
            baseline=None if asked.baseline is None else ExperimentId(asked.baseline),
        )
        return matrix_out(found)

    async def front(self, call: Call[None, ParetoQuery]) -> FrontOut:
        """What nothing beats in every way."""
        asked = call.query
        found = await self._comparisons.front(
            call.actor, _project(call), asked.metric, minimize=asked.minimize, filter=asked.filter
        )
        return front_out(found)

    async def importance(self, call: Call[None, ImportanceQuery]) -> ImportanceOut:
        """How far each parameter goes with a metric."""
        asked = call.query
        found = await self._importances.importance(
            call.actor, _project(call), asked.metric, method=asked.method, filter=asked.filter
        )
        return importance_out(found)


def _project(call: Call[Any, Any]) -> ProjectId:
    return ProjectId(call.path["project_id"])
