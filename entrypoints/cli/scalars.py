"""``tracker scalars``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from tracker.domain.errors import NotFound
from tracker.domain.scalars.record import ScalarRecord
from tracker.domain.scalars.series import Series, SeriesSummary

from .lookup import experiment_named
from .output import Column, as_json_option, print_json, print_record, print_table
from .scalar_transfer import export_scalars, import_scalars
from .scalar_upkeep import maintain, stats, verify
from .target import with_library
from .text import number
from .values import NAMED_NUMBER, TEXT_FILE

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["scalars"]

_COLUMNS = (
    Column("name", lambda row: row.name),
    Column("points", lambda row: str(row.count), is_number=True),
    Column("steps", lambda row: f"{row.first_step}..{row.last_step}"),
    Column("last", lambda row: number(row.last_value), is_number=True),
    Column("min", lambda row: number(row.min_value), is_number=True),
    Column("max", lambda row: number(row.max_value), is_number=True),
    Column("not finite", lambda row: str(row.non_finite or ""), is_number=True),
)

_experiment = click.argument("experiment", metavar="EXPERIMENT")
_project = click.option("--project", help="Id or name of the project to look in; by default in all.")


@click.group()
def scalars() -> None:
    """Scalars: the time series of experiments."""


@scalars.command("list")
@_experiment
@_project
@as_json_option
@with_library
def list_scalars(library: Tracker, experiment: str, project: str | None, as_json: bool) -> None:
    """List the series of EXPERIMENT with their extremes."""
    rows = _summaries(library, experiment, project)
    if as_json:
        print_json([row._asdict() for row in rows])
    else:
        print_table(_COLUMNS, rows, empty="no scalars; `tracker scalars log` keeps some")


@scalars.command()
@_experiment
@click.argument("names", metavar="[NAME]...", nargs=-1)
@_project
@click.option("--width", type=click.IntRange(8, 400), default=60, show_default=True, help="Of the curve.")
@as_json_option
@with_library
def show(
    library: Tracker,
    experiment: str,
    *,
    names: tuple[str, ...],
    project: str | None,
    width: int,
    as_json: bool,
) -> None:
    """Draw the series NAME of EXPERIMENT, or all of them; --json gives every point."""
    from tracker.run.sparkline import sparkline  # noqa: PLC0415  (late: only this command draws)

    rows = {row.name: row for row in _summaries(library, experiment, project)}
    for name in names:
        if name not in rows:
            raise NotFound(f"scalar {name} not found; see `tracker scalars list {experiment}`")
    chosen = [rows[name] for name in dict.fromkeys(names)] if names else list(rows.values())
    series = [library.scalars.read(row.experiment_id, row.name) for row in chosen]
    if as_json:
        print_json(series)
        return
    for row, points in zip(chosen, series, strict=True):
        print_record(_drawn(row, points, sparkline(points.value.tolist(), width)))


@scalars.command()
@_experiment
@click.argument("values", metavar="[NAME=NUMBER]...", nargs=-1, type=NAMED_NUMBER)
@click.option("--step", type=int, help="Where on the x-axis the values stand.")
@click.option("--tag", "tags", multiple=True, help="Put on this step; repeatable.")
@click.option(
    "--file", "lines", type=TEXT_FILE,
    help='Many steps, one JSON object a line: {"step": 1, "values": {"loss": 0.5}}; - is stdin.',
)  # fmt: skip
@_project
@with_library
def log(
    library: Tracker,
    experiment: str,
    *,
    values: tuple[tuple[str, float], ...],
    step: int | None,
    tags: tuple[str, ...],
    lines: str | None,
    project: str | None,
) -> None:
    """Keep values of scalars; all of them are durable, or none was kept, when it returns."""
    if bool(values) == (lines is not None):
        raise click.UsageError("give either NAME=NUMBER values with --step, or --file")
    if lines is not None:
        records = [_record(text, place) for place, text in enumerate(lines.splitlines(), 1) if text.strip()]
    elif step is None:
        raise click.UsageError("--step is missing: where on the x-axis do the values stand?")
    else:
        records = [ScalarRecord(step=step, values=dict(values), tags=tags)]
    library.scalars.log(experiment_named(library, experiment, project).id, records)


for command in (export_scalars, import_scalars, maintain, stats, verify):
    scalars.add_command(command)


def _record(text: str, line: int) -> ScalarRecord:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"line {line} is not JSON: {error}", param_hint="--file") from error
    if not isinstance(fields, dict) or fields.keys() - {"step", "values", "tags"}:
        raise click.BadParameter(f"line {line} needs step, values and maybe tags", param_hint="--file")
    if isinstance(fields.get("values"), dict):
        # JSON has one kind of number; 1 stands for 1.0 here.
        fields["values"] = {
            name: float(value) if type(value) is int else value for name, value in fields["values"].items()
        }
    if isinstance(fields.get("tags"), list):
        fields["tags"] = tuple(fields["tags"])
    return ScalarRecord(**fields)


def _summaries(library: Tracker, experiment: str, project: str | None) -> tuple[SeriesSummary, ...]:
    found = experiment_named(library, experiment, project)
    rows: tuple[SeriesSummary, ...] = library.scalars.summary(found.project_id, [found.id])
    return rows


def _drawn(row: SeriesSummary, points: Series, curve: str) -> dict[str, str]:
    first = float(points.value[0]) if len(points) else None
    return {
        row.name: curve,
        "": f"first {number(first)}  last {number(row.last_value)}  min {number(row.min_value)}  "
        f"max {number(row.max_value)}  points {row.count}",
    }
