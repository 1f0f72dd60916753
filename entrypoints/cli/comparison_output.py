"""How comparisons are printed."""

from __future__ import annotations

from collections.abc import Sequence

import click

from tracker.domain.comparison.code import CodeState
from tracker.domain.comparison.compared import Comparison
from tracker.domain.comparison.differences import Difference
from tracker.domain.comparison.matrix import Matrix, MatrixCell
from tracker.domain.comparison.metrics import MetricCell, MetricRow
from tracker.domain.comparison.trees import TreeState
from tracker.domain.comparison.words import shown_value
from tracker.domain.ids import ExperimentId
from tracker.domain.projects.project import Direction

from .cells import Cell, Head, missing, print_cells
from .text import number, visible

__all__ = ["print_comparison", "print_matrix"]

_MOST_FILES = 10
_ARROWS = {Direction.MAXIMIZE: " ↑", Direction.MINIMIZE: " ↓", None: ""}


def print_comparison(found: Comparison) -> None:
    """Prints experiments side by side: a star at the best, and behind each value its improvement."""
    names = [f"{e.name} (baseline)" if e.id == found.baseline_id else e.name for e in found.experiments]
    ids = [each.id for each in found.experiments]
    rows = [[Cell("status"), *(Cell(each.status.value, each.status.value) for each in found.experiments)]]
    rows += [_difference(f"params.{each.name}", each, ids) for each in found.params]
    rows += [_difference(f"features.{each.name}", each, ids) for each in found.features]
    if any(each.is_known for each in found.code):
        rows.append([Cell("git diff"), *map(_code, found.code)])
    if any(each.is_known for each in found.trees):
        rows.append([Cell("files"), *map(_tree, found.trees)])
    rows += [_difference(f"environment.{each.name}", each, ids) for each in found.environment]
    for metric in found.metrics or ():
        rows.append([Cell(metric.key + _ARROWS[metric.direction], "head"), *map(_metric, metric.cells)])
        if any(cell.contrast for cell in metric.cells):
            rows.append([Cell("  its interval"), *(_interval(metric, c) for c in metric.cells)])
    heads = [Head(""), *(Head(name, is_number=True, may_shrink=True) for name in names)]
    print_cells(heads, rows)
    if found.words is not None:
        click.echo()
        click.echo(visible(found.words))


def print_matrix(found: Matrix) -> None:
    """Prints a page of a project's table."""
    titles = [column.key + _ARROWS[column.direction] for column in found.columns]
    has_baseline = found.baseline_id is not None
    rows = [
        [
            Cell(row.name),
            Cell(row.status.value, row.status.value),
            *(_matrix_cell(cell, has_baseline) for cell in row.cells),
        ]
        for row in found.rows
    ]
    if not rows:
        click.echo("no experiments", err=True)
        return
    heads = Head("name", may_shrink=True), Head("status"), *(Head(title, is_number=True) for title in titles)
    print_cells(heads, rows)
    against = "the baseline" if has_baseline else "its parent"
    click.echo(f"* best of all that were found; in brackets the improvement over {against}", err=True)
    if found.next_cursor is not None:
        click.echo(f"more: --cursor {found.next_cursor}", err=True)


def _difference(name: str, difference: Difference, ids: Sequence[ExperimentId]) -> list[Cell]:
    values = difference.values
    return [Cell(name), *(Cell(shown_value(values[key])) if key in values else missing() for key in ids)]


def _code(state: CodeState) -> Cell:
    if not state.is_known:
        return missing()
    lines = sum(each.added for each in state.files), sum(each.removed for each in state.files)
    names = ", ".join(each.path for each in state.files)
    return Cell(f"{names} (+{lines[0]} -{lines[1]})" if names else "no file", "" if state.same else "running")


def _tree(state: TreeState) -> Cell:
    if not state.is_known:
        return missing()
    if state.same is not False:
        return Cell(f"{state.files} files")
    marked = [("~", state.changed), ("+", state.added), ("-", state.removed)]
    names = [f"{mark}{path}" for mark, paths in marked for path in paths]
    more = f" and {len(names) - _MOST_FILES} more" if len(names) > _MOST_FILES else ""
    return Cell(", ".join(names[:_MOST_FILES]) + more, "running")


def _metric(cell: MetricCell) -> Cell:
    return _valued(cell.value, cell.delta, is_best=cell.is_best)


def _matrix_cell(cell: MatrixCell, has_baseline: bool) -> Cell:
    delta = cell.baseline_delta if has_baseline else cell.parent_delta
    return _valued(cell.value, delta, is_best=cell.is_best)


def _valued(value: float | None, delta: float | None, *, is_best: bool) -> Cell:
    if value is None:
        return missing()
    style = "" if not delta else "better" if delta > 0 else "worse"
    gain = "" if delta is None else f" ({delta:+.3g})"
    if is_best:
        return Cell(f"* {number(value)}{gain}", "best")
    return Cell(f"{number(value)}{gain}", style)


def _interval(row: MetricRow, cell: MetricCell) -> Cell:
    found = cell.contrast
    if found is None:
        return Cell("")
    style = "better" if found.low > 0 else "worse" if found.high < 0 else "faint"
    text = f"{found.low:+.3g} .. {found.high:+.3g} (n {found.n}/{found.baseline_n}, p {found.adjusted_p:.2g})"
    return Cell(text, style if row.direction else "")
