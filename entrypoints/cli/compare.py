"""``tracker compare`` and what ``tracker project`` compares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import click

from tracker.domain.comparison.pareto import Objective

from .cells import color_option
from .comparison_output import print_comparison, print_matrix
from .lookup import experiment_named, project_named
from .output import Column, as_json_option, print_json, print_table
from .target import with_library
from .text import number

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["compare", "importance", "pareto", "table"]

_BUDGETS = click.Choice(["step", "time"])
_where = click.option("--filter", "where", default="", help="Of which experiments: 'params.lr < 0.01'.")


@click.command()
@click.argument("experiments", metavar="EXPERIMENT...", nargs=-1, required=True)
@click.option("--baseline", help="With which the others are compared; by default the parent of the first.")
@click.option("--project", help="Id or name of the project to look in; by default in all.")
@click.option("--scalar", help="Compare this time series at the same budget instead.")
@click.option("--budget", type=_BUDGETS, default="step", show_default=True, help="With --scalar: of what.")
@click.option("--at", type=float, help="With --scalar: after so many steps or seconds; at first the most.")
@color_option
@as_json_option
@with_library
def compare(
    library: Tracker,
    experiments: tuple[str, ...],
    *,
    baseline: str | None,
    project: str | None,
    scalar: str | None,
    budget: str,
    at: float | None,
    as_json: bool,
) -> None:
    """Tell what differs between experiments, and whether it mattered.

    EXPERIMENT is a number, a name, an id or the beginning of one. A star stands at the best value of each
    metric, and behind each value by how much it is better than the baseline's.
    """
    if scalar is None and at is not None:
        raise click.UsageError("--at goes with --scalar")
    if scalar is not None and baseline is not None:
        raise click.UsageError("--baseline and --scalar exclude each other")
    first = experiment_named(library, experiments[0], project)
    others = (experiment_named(library, each, project, rather=first.project_id) for each in experiments[1:])
    ids = [first.id, *(each.id for each in others)]
    if scalar is not None:
        _at_budget(library, ids, scalar, budget=budget, at=at, as_json=as_json)
        return
    base = (
        None if baseline is None else experiment_named(library, baseline, project, rather=first.project_id).id
    )
    found = library.experiments.compare(ids, base)
    if as_json:
        print_json(found)
    else:
        print_comparison(found)


_AT_COLUMNS = (
    Column("name", lambda row: row.name),
    Column("value", lambda row: number(row.value), is_number=True),
    Column("best so far", lambda row: number(row.best), is_number=True),
    Column("step", lambda row: "" if row.step is None else str(row.step), is_number=True),
    Column("seconds", lambda row: number(row.elapsed), is_number=True),
    Column("points", lambda row: str(row.points), is_number=True),
    Column("came so far", lambda row: "yes" if row.reached else "no"),
)


def _at_budget(
    library: Tracker, ids: Sequence[UUID], scalar: str, *, budget: str, at: float | None, as_json: bool
) -> None:
    found = library.experiments.compare_at(ids, scalar, axis=budget, at=at)
    if as_json:
        print_json(found)
        return
    print_table(_AT_COLUMNS, found.rows, empty="no experiments")
    click.echo()
    click.echo(found.words)


@click.command()
@click.argument("project", metavar="PROJECT")
@click.argument("where", metavar="[FILTER]", default="")
@click.option("--sort", default="", help="Such as -val.acc,name; by default the newest first.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--cursor", help="Of the page before.")
@click.option("--baseline", help="An experiment that every row is compared with.")
@color_option
@as_json_option
@with_library
def table(
    library: Tracker,
    project: str,
    *,
    where: str,
    sort: str,
    limit: int,
    cursor: str | None,
    baseline: str | None,
    as_json: bool,
) -> None:
    """Show the experiments of PROJECT by the metrics that it shows, or else tracks."""
    chosen = project_named(library, project).id
    base = None if baseline is None else experiment_named(library, baseline, rather=chosen).id
    found = library.metrics.matrix(chosen, where, sort, limit, cursor=cursor, baseline=base)
    if as_json:
        print_json(found)
    else:
        print_matrix(found)


@click.command()
@click.argument("project", metavar="PROJECT")
@click.argument("metrics", metavar="METRIC...", nargs=-1)
@click.option("--minimize", multiple=True, help="One that gets better by falling; repeatable.")
@_where
@as_json_option
@with_library
def pareto(
    library: Tracker,
    project: str,
    metrics: tuple[str, ...],
    *,
    minimize: tuple[str, ...],
    where: str,
    as_json: bool,
) -> None:
    """Find the experiments of PROJECT that no other one beats by all of the metrics at once."""
    chosen = project_named(library, project).id
    found = library.metrics.pareto(chosen, [*metrics], minimize=minimize, filter=where)
    if as_json:
        print_json(found)
        return
    places = enumerate(found.objectives)
    columns = [Column("name", lambda member: member.name), *(_objective(at, each) for at, each in places)]
    print_table(columns, found.members, empty="no experiment has all of these metrics")
    told = f"{len(found.members)} of {found.considered} experiments"
    click.echo(f"{told}; {found.excluded} lack a value" if found.excluded else told, err=True)


def _objective(at: int, objective: Objective) -> Column:
    return Column(objective.key, lambda member: number(member.values[at]), is_number=True)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


_IMPORTANCE_COLUMNS = (
    Column("parameter", lambda row: row.name),
    Column("kind", lambda row: row.kind.value),
    Column("importance", lambda row: _share(row.importance), is_number=True),
    Column("correlation", lambda row: _share(row.correlation), is_number=True),
    Column("runs", lambda row: str(row.n), is_number=True),
    Column("values", lambda row: str(row.distinct), is_number=True),
)


@click.command()
@click.argument("project", metavar="PROJECT")
@click.argument("metric")
@click.option("--method", type=click.Choice(["rank", "forest"]), default="rank", show_default=True)
@_where
@as_json_option
@with_library
def importance(
    library: Tracker, project: str, metric: str, *, method: str, where: str, as_json: bool
) -> None:
    """Rank the parameters of PROJECT by how far they go with METRIC."""
    found = library.metrics.importance(
        project_named(library, project).id, metric, method=method, filter=where
    )
    if as_json:
        print_json(found)
        return
    print_table(_IMPORTANCE_COLUMNS, found.params, empty="no parameters")
    for warning in found.warnings:
        click.echo(f"Warning: {warning}", err=True)
