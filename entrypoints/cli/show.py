"""``tracker show``: everything about one experiment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from tracker.domain.experiments.branch import Branch
from tracker.domain.experiments.features import diff, dotted, leaves
from tracker.domain.projects.project import Project
from tracker.domain.search.found import FoundExperiment

from .cells import Cell, Head, color_option, print_cells, styled
from .curves import first_curves
from .deltas import (
    changes_heads,
    changes_rows,
    definitions,
    delta_cell,
    plain_changes,
    value_cell,
    value_text,
)
from .field_values import duration, span
from .fields import displayed_metrics
from .lookup import experiment_named, found_again
from .output import as_json_option, plain, print_json
from .target import with_library
from .text import moment, number

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["show"]

_MOST_CURVES = 8


@click.command()
@click.argument("experiment", metavar="EXPERIMENT")
@click.option("--project", help="Id or name of the project to look in; by default in all.")
@color_option
@as_json_option
@with_library
def show(library: Tracker, experiment: str, project: str | None, as_json: bool) -> None:
    """Show everything about EXPERIMENT, and what changed against its parent."""
    found = found_again(library, experiment_named(library, experiment, project))
    parent = None
    if found.parent_id is not None:
        parent = found_again(library, library.experiments.get(found.parent_id))
    pair = _Pair(library.projects.get(found.project_id), found, parent)
    if as_json:
        print_json(_fields(pair))
        return
    _print_record(_head(library, pair))
    _print_params(pair)
    _print_features(pair)
    _print_metrics(pair)
    _print_curves(library, pair)
    _print_branches(library.experiments.branches(found.id))


class _Pair(NamedTuple):
    project: Project
    child: FoundExperiment
    parent: FoundExperiment | None


def _fields(pair: _Pair) -> dict[str, Any]:
    fields: dict[str, Any] = dict(plain(pair.child))
    fields["duration"] = duration(pair.child)
    fields["features_diff"] = None
    if pair.parent is not None:
        fields["features_diff"] = plain_changes(diff(pair.parent.features, pair.child.features))
    return fields


def _head(library: Tracker, pair: _Pair) -> Iterable[tuple[str, Cell]]:
    one = pair.child
    seconds = duration(one)
    ended = one.status.has_ended
    yield "id", Cell(str(one.id))
    yield "name", Cell(one.name, "head")
    yield "description", Cell(one.description)
    yield "status", Cell(one.status.value, one.status.value)
    yield "progress", Cell("" if ended else f"{number(one.progress)} %")
    yield "project", Cell(pair.project.name)
    yield "parent", Cell("" if pair.parent is None else pair.parent.name)
    merged = [library.experiments.get(each).name for each in one.merged_from]
    yield "merged from", Cell(", ".join(merged))
    yield "position", Cell(str(one.position))
    yield "color", Cell(one.color)
    yield "tags", Cell(", ".join(one.tags))
    yield "git diff", Cell(f"{len(one.git_diff.splitlines())} lines" if one.git_diff else "")
    yield "created", Cell(moment(one.created_at))
    yield "started", Cell(moment(one.started_at))
    yield "completed", Cell(moment(one.completed_at))
    yield "ended by", Cell("" if one.end_kind is None else one.end_kind.value)
    yield "reason", Cell(one.end_reason or "")
    yield "heartbeat", Cell("" if ended else moment(one.heartbeat_at))
    yield "duration", Cell("" if seconds is None else span(seconds))


def _print_record(fields: Iterable[tuple[str, Cell]]) -> None:
    there = [(name, cell) for name, cell in fields if cell.text]
    width = max(len(name) for name, _ in there)
    for name, cell in there:
        click.echo(f"{styled(f'{name:<{width}}', 'faint')}  {styled(cell.text, cell.style)}")


def _section(title: str) -> None:
    click.echo(f"\n{styled(title, 'head')}")


def _print_indented(rows: Sequence[Sequence[Cell]], heads: Sequence[Head] = ()) -> None:
    untitled = [Head("", may_shrink=index > 0) for index in range(len(rows[0]))]
    print_cells(heads or untitled, rows, indent=2)


def _print_params(pair: _Pair) -> None:
    if pair.child.params:
        _section("params")
        _print_indented([(Cell(key), Cell(value_text(value))) for key, value in pair.child.params.items()])
    if pair.parent is not None:
        _print_changes(pair.parent, changes_rows(diff(pair.parent.params, pair.child.params)), "params")


def _print_features(pair: _Pair) -> None:
    if pair.child.features:
        _section("features")
        _print_indented(
            [(Cell(dotted(path)), Cell(value_text(value))) for path, value in leaves(pair.child.features)]
        )
    if pair.parent is not None:
        _print_changes(pair.parent, changes_rows(diff(pair.parent.features, pair.child.features)), "features")


def _print_changes(parent: FoundExperiment, rows: Sequence[Sequence[Cell]], what: str) -> None:
    if rows:
        _section(f"{what} that differ from those of {parent.name}")
        _print_indented(rows, changes_heads("before", "now"))


def _print_metrics(pair: _Pair) -> None:
    one, before = pair.child.metrics, {} if pair.parent is None else pair.parent.metrics
    tracked = definitions(pair.project)
    names = [*(name for name in tracked if name in one), *sorted(set(one).difference(tracked))]
    if not names:
        return
    _section("metrics")
    rows = [
        (Cell(name), value_cell(one[name]), value_cell(before.get(name)),
         delta_cell(tracked.get(name), one[name], before.get(name)))
        for name in names
    ]  # fmt: skip
    heads = [Head(""), *(Head(title, is_number=True) for title in ("value", "parent", "Δ"))]
    shown = 2 if pair.parent is None else 4
    _print_indented([row[:shown] for row in rows], heads[:shown])


def _print_branches(branches: Sequence[Branch]) -> None:
    if branches:
        _section("branches left when it was resumed")
        rows = [
            [Cell(str(each.id)), Cell(f"from step {each.from_step}"), Cell(f"{each.points} points"),
             Cell(moment(each.made_at))]
            for each in branches
        ]  # fmt: skip
        _print_indented(rows)


def _print_curves(library: Tracker, pair: _Pair) -> None:
    preferred = [each.name for each in displayed_metrics(pair.project)]
    curves, there = first_curves(library, pair.project.id, pair.child.id, preferred, _MOST_CURVES)
    if curves:
        _section("curves" if there <= len(curves) else f"curves ({len(curves)} of {there})")
        _print_indented([(Cell(each.name), Cell(each.drawn), Cell(each.ends)) for each in curves])
