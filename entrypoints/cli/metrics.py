"""``tracker metric``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from tracker.domain.experiments.experiment import Experiment
from tracker.domain.ids import ExperimentId
from tracker.domain.projects.project import MetricDefinition

from .lookup import experiment_named, project_worked_in
from .output import Column, as_json_option, print_json, print_table
from .target import with_library
from .text import moment, number

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["metric"]

_COLUMNS = (
    Column("name", lambda metric: metric.name),
    Column("label", lambda metric: metric.label or ""),
    Column("step", lambda metric: str(metric.step), is_number=True),
    Column("value", lambda metric: number(metric.value), is_number=True),
    Column("logged", lambda metric: moment(metric.created_at)),
)

_EXPERIMENT_COLUMNS = (
    Column("id", lambda experiment: str(experiment.id)),
    Column("name", lambda experiment: experiment.name),
    Column("status", lambda experiment: experiment.status.value),
)

_project = click.option("--project", help="Id or name of the project to look in; by default in all.")


@click.group()
def metric() -> None:
    """Metrics: the final values of experiments."""


@metric.command("list")
@click.argument("experiment", metavar="EXPERIMENT")
@_project
@as_json_option
@with_library
def list_metrics(library: Tracker, experiment: str, project: str | None, as_json: bool) -> None:
    """List every value of EXPERIMENT."""
    values = library.metrics.list(experiment_named(library, experiment, project).id)
    if as_json:
        print_json(values)
    else:
        print_table(_COLUMNS, values, empty="no values; `tracker metric log` keeps one")


@metric.command()
@click.argument("experiment", metavar="EXPERIMENT")
@click.argument("name")
@click.argument("value", type=float)
@click.option("--step", type=int, default=0, show_default=True)
@click.option("--label", help="Keeps values apart that must not be compared: val, test, best.")
@_project
@as_json_option
@with_library
def log(
    library: Tracker,
    experiment: str,
    *,
    name: str,
    value: float,
    step: int,
    label: str | None,
    project: str | None,
    as_json: bool,
) -> None:
    """Keep VALUE under NAME; the same name, label and step again replaces it.

    A negative VALUE goes behind two dashes: tracker metric log EXPERIMENT reward -- -3.5
    """
    found = experiment_named(library, experiment, project)
    kept = library.metrics.log(found.id, name, value, step=step, label=label)
    if as_json:
        print_json(kept)


@metric.command()
@click.option("--project", help="Id or name; by default the only one, or where the newest experiment is.")
@as_json_option
@with_library
def table(library: Tracker, project: str | None, as_json: bool) -> None:
    """Compare the experiments of a project by the metrics it tracks."""
    chosen = project_worked_in(library, project)
    cells = library.metrics.table(chosen.id)
    if as_json:
        print_json(cells)
        return
    values = {(cell.experiment_id, cell.definition.name, cell.definition.label): cell.value for cell in cells}
    columns = [*_EXPERIMENT_COLUMNS, *(_column(tracked, values) for tracked in chosen.metrics)]
    print_table(columns, library.experiments.list(chosen.id), empty="no experiments in this project")


def _column(
    tracked: MetricDefinition, values: Mapping[tuple[ExperimentId, str, str | None], float]
) -> Column:
    def text(experiment: Experiment) -> str:
        return number(values.get((experiment.id, tracked.name, tracked.label)))

    header = f"{tracked.name} ({tracked.label})" if tracked.label else tracked.name
    return Column(header, text, is_number=True)
