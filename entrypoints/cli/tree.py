"""``tracker tree``: a project's family, with what became of its main metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import click

from tracker.domain.experiments.graph import Graph, Member
from tracker.domain.experiments.lineage import depth_first
from tracker.domain.ids import ExperimentId
from tracker.domain.projects.naming import number_of
from tracker.domain.projects.project import Project
from tracker.domain.search.found import metric_key
from tracker.domain.search.operands import spelled
from tracker.domain.search.query import Measure

from .cells import Cell, Head, color_option, print_cells
from .curves import curves_of_metric
from .deltas import definitions, delta_cell, value_cell
from .experiment_output import branches
from .fields import common_metrics, displayed_metrics, named_measure
from .lookup import project_worked_in
from .output import as_json_option, print_json
from .searching import errors_shown, searched
from .target import with_library

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["tree"]

_MOST_CURVES = 1000  # experiments, beyond which drawing would be waited for
_EMPTY = "no experiments; `tracker experiment create --project PROJECT NAME` makes one"


@click.command()
@click.option("--project", help="Id or name; by default the only one, or where the newest experiment is.")
@click.option("--metric", help="In place of the first that the project shows or tracks; such as val.acc.")
@color_option
@as_json_option
@with_library
def tree(library: Tracker, project: str | None, metric: str | None, as_json: bool) -> None:
    """Draw which experiment derives from which, and how the main metric changed from parent to child."""
    home = project_worked_in(library, project)
    graph = library.experiments.graph(home.id)
    main = _main(library, home) if metric is None else named_measure(metric)
    family = _family(library, home, graph, main)
    if as_json:
        print_json([_fields(each, family, depth) for each, depth in _in_order(graph)])
    elif not graph.members:
        click.echo(_EMPTY, err=True)
    else:
        _print(library, home, graph, family)


def _main(library: Tracker, home: Project) -> Measure | None:
    """The first metric that the project shows or tracks, or else the one that most of its newest have."""
    measures = displayed_metrics(home) or common_metrics(searched(library, home.id, "", "", 100))
    return next(iter(measures), None)


class _Family(NamedTuple):
    """Attributes:
    main: the metric that is shown.
    values: it, where an experiment has it.
    """

    main: Measure | None
    values: Mapping[UUID, float]

    def before(self, member: Member) -> float | None:
        """The parent's value."""
        return None if member.parent_id is None else self.values.get(member.parent_id)


def _family(library: Tracker, home: Project, graph: Graph, main: Measure | None) -> _Family:
    if main is None or not graph.members:
        return _Family(main, {})
    key = metric_key(main.name, main.label)
    filter = f"{spelled(main)} is not null"
    with errors_shown(filter, ""):
        found = searched(library, home.id, filter, "")
        return _Family(main, {each.id: each.metrics[key] for each in found if key in each.metrics})


def _in_order(graph: Graph) -> list[tuple[Member, int]]:
    by_id = {member.id: member for member in graph.members}
    return [(by_id[key], depth) for key, depth in depth_first(graph.lines)]


def _fields(member: Member, family: _Family, depth: int) -> dict[str, object]:
    value, before = family.values.get(member.id), family.before(member)
    return {
        "depth": depth,
        **member._asdict(),
        "metric": None if family.main is None else metric_key(family.main.name, family.main.label),
        "value": value,
        "delta": None if value is None or before is None else value - before,
    }


def _print(library: Tracker, home: Project, graph: Graph, family: _Family) -> None:
    drawn = branches(depth_first(graph.lines))
    rows = [member for member, _ in _in_order(graph)]
    columns: list[tuple[Head, list[Cell]]] = [
        (Head("name", may_shrink=True), [Cell(drawn[each.id] + each.name) for each in rows]),
        (Head("status"), [Cell(each.status.value, each.status.value) for each in rows]),
    ]
    if family.main is not None:
        columns += _measured(library, home, family, rows)
    if any(each.merged_from for each in rows):
        columns.append((Head("merged from", may_shrink=True), _merged(home, rows)))
    heads, cells = zip(*columns, strict=True)
    print_cells(heads, zip(*cells, strict=True))


def _measured(
    library: Tracker, home: Project, family: _Family, rows: list[Member]
) -> list[tuple[Head, list[Cell]]]:
    assert family.main is not None
    key = metric_key(family.main.name, family.main.label)
    definition = definitions(home).get(key)
    values = [family.values.get(each.id) for each in rows]
    deltas = [delta_cell(definition, family.values.get(each.id), family.before(each)) for each in rows]
    columns = [
        (Head(key, is_number=True), [value_cell(value) for value in values]),
        (Head("Δ parent", is_number=True), deltas),
    ]
    if len(rows) > _MOST_CURVES:
        click.echo(f"no curves: there are more than {_MOST_CURVES} experiments", err=True)
        return columns
    curves = curves_of_metric(library, home.id, family.main.name)
    if curves:
        columns.append((Head("curve"), [Cell(curves.get(each.id, "")) for each in rows]))
    return columns


def _merged(home: Project, rows: list[Member]) -> list[Cell]:
    names = {each.id: each.name for each in rows}

    def short(key: ExperimentId) -> str:
        number = number_of(home.settings.naming_patterns, names[key])
        return names[key] if number is None else str(number)

    return [Cell(", ".join(short(key) for key in each.merged_from if key in names)) for each in rows]
