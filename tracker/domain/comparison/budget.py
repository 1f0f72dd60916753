"""Experiments after the same number of steps, or the same time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from tracker.domain.ids import ExperimentId
from tracker.domain.projects.project import Direction
from tracker.domain.scalars.series import Axis

__all__ = ["AtBudget", "BudgetComparison", "ahead", "at_budget", "told"]

ReadPoint = tuple[int, int, float]
"""Step, time in microseconds, value."""


class AtBudget(NamedTuple):
    """One experiment at the budget.

    Attributes:
        value: at its last point not beyond the budget; ``None`` when it has no such point.
        best: the best finite value up to there.
        step, elapsed: of that point; seconds since the run started, or since its first point if that came
            before.
        points: how many it had up to there.
        reached: whether its series goes on to the budget at least. One that ended before had less.
    """

    experiment_id: ExperimentId
    name: str
    value: float | None
    best: float | None
    step: int | None
    elapsed: float | None
    points: int
    reached: bool


class BudgetComparison(NamedTuple):
    """Experiments by one scalar at the same budget.

    Attributes:
        scalar: its name.
        direction: which way it is better.
        axis: what the budget is counted in: steps or time.
        at: the budget, in steps or seconds; ``None`` when no experiment has the scalar.
        rows: in the asked order.
        ahead: of those that reached the budget the best by value, several when they are equal; none when
            fewer than two can be compared.
        words: the same in a sentence.
    """

    scalar: str
    direction: Direction
    axis: Axis
    at: float | None
    rows: tuple[AtBudget, ...]
    ahead: tuple[ExperimentId, ...]
    words: str


def at_budget(
    experiment_id: ExperimentId,
    name: str,
    points: Sequence[ReadPoint],
    *,
    axis: Axis,
    direction: Direction,
    origin: int | None,
    total: int,
    reached: bool,
) -> AtBudget:
    """One experiment, from its points that are not beyond the budget.

    Args:
        experiment_id: which.
        name: its name.
        points: the last one, the lowest and the highest among them; perhaps none.
        axis: along which the last one is looked for.
        direction: which way is better.
        origin: when the run started, microseconds UTC; ``None`` = not known, no elapsed time is told.
        total: how many points there are.
        reached: whether more come, or one exactly there.
    """
    if not points:
        return AtBudget(experiment_id, name, None, None, None, None, 0, reached)
    # Of equals the last that came.
    place = (lambda p: (p[1], p[0])) if axis is Axis.TIME else (lambda p: p[:1])
    step, time, value = max(reversed(points), key=place)
    finite = [each[2] for each in points if math.isfinite(each[2])]
    choose = min if direction is Direction.MINIMIZE else max
    best = choose(finite) if finite else None
    elapsed = None if origin is None else (time - origin) / 1e6
    return AtBudget(experiment_id, name, value, best, step, elapsed, total, reached)


def ahead(rows: Sequence[AtBudget], direction: Direction) -> tuple[ExperimentId, ...]:
    """Those that are best by value, of those that had the whole budget."""
    values = {
        row.experiment_id: row.value
        for row in rows
        if row.reached and row.value is not None and math.isfinite(row.value)
    }
    if len(values) < 2:
        return ()
    best = min(values.values()) if direction is Direction.MINIMIZE else max(values.values())
    return tuple(key for key, value in values.items() if value == best)


def told(
    scalar: str, axis: Axis, at: float | None, rows: Sequence[AtBudget], first: Sequence[ExperimentId]
) -> str:
    """Who is ahead, in a sentence."""
    if at is None:
        return f"No experiment has the scalar {scalar}."
    place = f"At step {at:.0f}" if axis is Axis.STEP else f"After {at:.4g} s"
    by_id = {row.experiment_id: row for row in rows}
    late = [row.name for row in rows if not row.reached]
    more = f" Not compared, since they end before or lack it: {', '.join(late)}." if late else ""
    if not first:
        return f"{place} there is nothing to compare: it takes two experiments with a finite {scalar}.{more}"
    value = by_id[first[0]].value
    names = " and ".join(by_id[each].name for each in first)
    verb = "is ahead" if len(first) == 1 else "are ahead, level with each other"
    return f"{place} {names} {verb} by {scalar}: {value:.4g}.{more}"
