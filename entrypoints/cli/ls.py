"""``tracker ls``: experiments by a filter, with the columns that it speaks of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from tracker.domain.ids import ProjectId
from tracker.domain.metrics.aggregation import improvement
from tracker.domain.projects.project import Project
from tracker.domain.search.found import FoundExperiment
from tracker.domain.search.query import Builtin, Column

from .cells import Cell, Head, color_option, missing, print_cells
from .field_values import readable, values_of
from .fields import (
    Field,
    common_metrics,
    definition_of,
    displayed_metrics,
    every_field,
    named_fields,
    spoken_fields,
)
from .lookup import project_worked_in, query_named
from .output import as_json_option, print_json
from .searching import errors_shown, searched
from .target import with_library
from .text import one_line

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["ls"]

_NUMBER, _PROJECT, _TAGS = Field("number"), Field("project"), Field("tags")
_NAME, _STATUS, _CREATED = (
    Field.of(Column(field)) for field in (Builtin.NAME, Builtin.STATUS, Builtin.CREATED)
)
_ENDED, _REASON = (Field.of(Column(field)) for field in (Builtin.ENDED, Builtin.REASON))
_STATUSES = frozenset({"planned", "running", "complete", "failed"})
_EMPTY = "no experiment fits; `tracker ls` without a FILTER shows all"

Values = Sequence[Any]


@click.command()
@click.argument("words", metavar="[FILTER]", nargs=-1)
@click.option("--project", help="Id or name; by default the only one, or where the newest experiment is.")
@click.option("--all", "everywhere", is_flag=True, help="Of all projects.")
@click.option("--sort", "order_by", help="Such as -val.acc,name; by default the newest first.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many.")
@click.option("--columns", help="These instead of the usual ones, such as number,name,val.acc,params.lr.")
@click.option("--all-columns", is_flag=True, help="Every metric, parameter and feature as well.")
@click.option("--query", metavar="NAME", help="Take FILTER and --sort from a saved query.")
@click.option("--save", metavar="NAME", help="Keep FILTER and --sort in the project as a saved query.")
@color_option
@as_json_option
@with_library
def ls(
    library: Tracker,
    words: tuple[str, ...],
    *,
    project: str | None,
    everywhere: bool,
    order_by: str | None,
    limit: int,
    columns: str | None,
    all_columns: bool,
    query: str | None,
    save: str | None,
    as_json: bool,
) -> None:
    """List the experiments for which FILTER holds.

    Such as: tracker ls 'val.acc > 0.9 and params.lr < 0.01' --sort -val.acc

    FILTER is in the language of docs/guide/search.md. Shown are number, name and status, the metrics that the
    project shows or tracks, and what FILTER and --sort speak of; the best shown value of each tracked metric
    is highlighted. NUMBER is what other commands take for an experiment.
    """
    if everywhere and (project or query or save):
        raise click.UsageError("--all excludes --project, --query and --save")
    if query is not None and words:
        raise click.UsageError("--query excludes FILTER; --sort may be given")
    chosen = named_fields(columns) if columns is not None else None
    home = None if everywhere else project_worked_in(library, project)
    filter = " ".join(words)
    if home is not None and query is not None:
        kept = query_named(library, query, str(home.id))
        filter, order_by = kept.filter, order_by if order_by is not None else kept.order_by
    order_by = order_by or ""
    with errors_shown(filter, order_by):
        rows = list(searched(library, None if home is None else home.id, filter, order_by, limit + 1))
        if home is not None and save is not None:
            library.queries.save(home.id, save, filter, order_by)
            click.echo(f"saved; tracker ls --query {one_line(save)}", err=True)
    shown = rows[:limit]
    homes = {each.id: each for each in ([home] if home is not None else library.projects.list())}
    if chosen is None and not as_json:
        chosen = _usual(shown, homes, home, spoken_fields(filter, order_by))
        chosen += every_field(shown) if all_columns else []
    _print(library, shown, homes, list(dict.fromkeys(chosen)) if chosen is not None else None, as_json)
    if len(rows) > limit:
        click.echo(f"only the first {limit} are shown; --limit N shows more", err=True)


def _usual(
    rows: Sequence[FoundExperiment],
    homes: Mapping[ProjectId, Project],
    home: Project | None,
    spoken: Sequence[Field],
) -> list[Field]:
    """The columns that are shown unless somebody chooses others."""
    measures = [metric for each in homes.values() for metric in displayed_metrics(each)]
    if home is None:
        present = {key for row in rows for key in row.metrics}
        measures = [each for each in measures if Field.of(each).title in present]
    metrics = [Field.of(each) for each in measures or common_metrics(rows)]
    tags = [_TAGS] if any(row.tags for row in rows) else []
    ended = [_ENDED, _REASON] if any(row.end_kind or row.end_reason for row in rows) else []
    front = [_NUMBER, *([_PROJECT] if home is None else []), _NAME, _STATUS]
    return list(dict.fromkeys([*front, *metrics, *spoken, _CREATED, *tags, *ended]))


def _print(
    library: Tracker,
    rows: Sequence[FoundExperiment],
    homes: Mapping[ProjectId, Project],
    fields: Sequence[Field] | None,
    as_json: bool,
) -> None:
    if fields is None:
        print_json(rows)
        return
    columns = [values_of(library, field, rows, homes) for field in fields]
    if as_json:
        titles = [field.title for field in fields]
        print_json([dict(zip(titles, values, strict=True)) for values in zip(*columns, strict=True)])
    elif not rows:
        click.echo(_EMPTY, err=True)
    else:
        only = next(iter(homes.values())) if len({row.project_id for row in rows}) == 1 else None
        cells = [_cells(field, values, only) for field, values in zip(fields, columns, strict=True)]
        print_cells([_head(*each) for each in zip(fields, columns, strict=True)], zip(*cells, strict=True))


def _head(field: Field, values: Values) -> Head:
    is_number = field == _NUMBER or any(isinstance(value, int | float) for value in values)
    title = "#" if field == _NUMBER else field.title
    is_short = is_number or field == _STATUS or any(isinstance(value, datetime) for value in values)
    return Head(title, is_number, may_shrink=not is_short)


def _cells(field: Field, values: Values, project: Project | None) -> list[Cell]:
    if field == _STATUS:
        return [Cell(value, value if value in _STATUSES else "") for value in values]
    best = None if project is None else _best(field, values, project)
    return [
        missing() if value is None
        else Cell(readable(field, value), "best" if best is not None and value == best else "")
        for value in values
    ]  # fmt: skip


def _best(field: Field, values: Values, project: Project) -> float | None:
    """The best of a tracked metric's values, if there is more than one to choose from."""
    definition = definition_of(project, field.operand)
    finite = [value for value in values if isinstance(value, float) and math.isfinite(value)]
    if definition is None or len(finite) < 2:
        return None
    return max(finite, key=lambda value: improvement(definition, value, 0.0))
