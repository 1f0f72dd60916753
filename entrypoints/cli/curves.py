"""Curves in a line of text each; where the store of scalars is silent, there are none and stderr says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import click

from tracker.domain.errors import Forbidden, Unavailable
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
        ends: its first and its last value.
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
    """Some series of an experiment, drawn, and how many it has.

    Args:
        library: where to read.
        project_id: the experiment's.
        experiment_id: whose.
        preferred: names that come first; the others follow by name.
        most: draw so many.
    """
    try:
        there = {each.name for each in library.scalars.summary(project_id, [experiment_id])}
        ranked = [name for name in preferred if name in there] + sorted(there.difference(preferred))
        names = ranked[:most]
        series = library.scalars.sample(project_id, [experiment_id], names=names, max_points=_POINTS)
    except (Forbidden, Unavailable) as error:
        _tell(error)
        return [], 0
    by_name = {each.name: each for each in series}
    return [_drawn(by_name[name]) for name in names if name in by_name], len(there)


def _drawn(series: Series) -> Curve:
    values = series.value.tolist()
    ends = f"{number(values[0])} → {number(values[-1])}" if values else ""
    return Curve(series.name, sparkline(values, WIDTH), ends)


def _tell(error: Exception) -> None:
    click.echo(one_line(f"no curves: {error}"), err=True)
