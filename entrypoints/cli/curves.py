"""Curves in a line of text each; where the store of scalars is silent, there are none and stderr says so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import click

from tracker.domain.errors import Forbidden, Unavailable
from tracker.domain.scalars.ranks import ranks_by_name
from tracker.run.sparkline import sparkline

from .text import number, one_line

if TYPE_CHECKING:
    from tracker.blocking import Tracker
    from tracker.domain.scalars.series import Series

__all__ = ["Curve", "curves_of_metric", "first_curves"]

WIDTH = 24
_POINTS = 8 * WIDTH


class Curve(NamedTuple):
    """A drawn series.

    Attributes:
        drawn: at most :data:`WIDTH` characters.
        ends: its first and its last value, and of several ranks within what their last ones lie.
    """

    name: str
    drawn: str
    ends: str


def curves_of_metric(library: Tracker, project_id: UUID, name: str) -> dict[UUID, str]:
    """One series of every experiment of a project that has it, drawn."""
    try:
        series = library.scalars.sample(project_id, names=[name], max_points=_POINTS)
    except (Forbidden, Unavailable) as error:
        _tell(error)
        return {}
    return {each.experiment_id: sparkline(each.value.tolist(), WIDTH) for each in series}


def first_curves(
    library: Tracker, project_id: UUID, experiment_id: UUID, preferred: Sequence[str], most: int
) -> tuple[list[Curve], int]:
    """Some series of an experiment, drawn, and how many it has; the ranks of a distributed job are one.

    Args:
        library: where to read.
        project_id: the experiment's.
        experiment_id: whose.
        preferred: names that come first; the others follow by name.
        most: draw so many.
    """
    try:
        rows = {each.name: each for each in library.scalars.summary(project_id, [experiment_id])}
        ranks = ranks_by_name(rows)
        ranked = [name for name in preferred if name in ranks] + sorted(ranks.keys() - set(preferred))
        # Rank 0 stands for all: samples of several need not have their points at the same steps.
        names = {ranks[name][0]: name for name in ranked[:most]}
        series = library.scalars.sample(project_id, [experiment_id], names=list(names), max_points=_POINTS)
    except (Forbidden, Unavailable) as error:
        _tell(error)
        return [], 0
    by_name = {each.name: each for each in series}
    drawn = [
        _drawn(plain, by_name[name], [rows[each].last_value for each in ranks[plain]])
        for name, plain in names.items()
        if name in by_name
    ]
    return drawn, len(ranks)


def _drawn(plain: str, series: Series, lasts: Sequence[float]) -> Curve:
    values = series.value.tolist()
    ends = f"{number(values[0])} → {number(values[-1])}" if values else ""
    if len(lasts) > 1:
        finite = [value for value in lasts if math.isfinite(value)]
        spread = f" at {number(min(finite))} to {number(max(finite))}" if finite else ""
        lost = f", {len(lasts) - len(finite)} not finite" if len(finite) < len(lasts) else ""
        ends += f"  {len(lasts)} ranks{spread}{lost}"
    return Curve(plain if len(lasts) > 1 else series.name, sparkline(values, WIDTH), ends)


def _tell(error: Exception) -> None:
    click.echo(one_line(f"no curves: {error}"), err=True)
