"""``tracker experiment``: find, make and remove experiments; changes are in :mod:`.changes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status

from .changes import complete, edit, fail, start
from .confirm import confirm, yes_option
from .experiment_output import COLUMNS, print_experiment, tree_column
from .lookup import experiment_named, experiments_of, project_named
from .output import as_json_option, plain, print_json, print_table
from .show import show
from .target import with_library
from .values import JSON_OBJECT, PARAM, STATUS, TEXT_FILE

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["experiment"]

_EMPTY = "no experiments; `tracker experiment create --project PROJECT NAME` makes one"

_project = click.option("--project", help="Id or name of the project to look in; by default in all.")


@click.group()
def experiment() -> None:
    """Experiments: runs and their family.

    EXPERIMENT is a name, a number by the project's naming patterns (12), an id, or the beginning of an id
    that no other has; --project tells apart what several projects have.
    """


for _command in (show, edit, start, complete, fail):
    experiment.add_command(_command)


@experiment.command("list")
@click.option("--project", help="Id or name; without it, the experiments of all projects.")
@click.option("--status", type=STATUS)
@click.option("--tag")
@click.option("--name", help="Exactly this one.")
@as_json_option
@with_library
def list_experiments(
    library: Tracker,
    *,
    project: str | None,
    status: str | None,
    tag: str | None,
    name: str | None,
    as_json: bool,
) -> None:
    """List experiments in their project's order."""
    wanted = Status(status) if status else None
    chosen = library.projects.list() if project is None else [project_named(library, project)]
    found = [
        experiment
        for one in chosen
        for experiment in library.experiments.list(one.id, status=wanted, tag=tag, name=name)
    ]
    if as_json:
        print_json(found)
    else:
        print_table(COLUMNS, found, empty=_EMPTY)


@experiment.command()
@click.argument("name")
@click.option("--project", required=True, help="Id or name.")
@click.option("--description", default="")
@click.option("--status", type=STATUS, default="planned", show_default=True)
@click.option("--parent", help="By default found from NAME by the project's naming patterns.")
@click.option("--merged-from", "merged", multiple=True, help="A further parent; repeatable.")
@click.option("--param", "params", type=PARAM, multiple=True, help="Such as lr=0.1; repeatable.")
@click.option("--features", type=JSON_OBJECT, help="A file with a JSON object; - is stdin.")
@click.option("--git-diff", type=TEXT_FILE, help="A file with uncommitted changes; - is stdin.")
@click.option("--tag", "tags", multiple=True, help="Repeatable.")
@click.option("--color", help="#rrggbb; by default the palette's next.")
@click.option("--progress", type=float, help="Per cent done.")
@as_json_option
@with_library
def create(
    library: Tracker,
    name: str,
    *,
    project: str,
    parent: str | None,
    merged: tuple[str, ...],
    status: str,
    params: tuple[tuple[str, Any], ...],
    as_json: bool,
    **fields: Any,
) -> None:
    """Create an experiment called NAME, in which {num} becomes the project's next number."""
    home = project_named(library, project)
    if parent is not None:
        fields["parent_id"] = experiment_named(library, parent, str(home.id)).id
    fields["merged_from"] = tuple(experiment_named(library, each, str(home.id)).id for each in merged)
    given = {field: value for field, value in fields.items() if value is not None}
    made = library.experiments.create(home.id, name=name, status=Status(status), params=dict(params), **given)
    print_experiment(made, as_json)


@experiment.command()
@click.argument("experiment", metavar="EXPERIMENT")
@_project
@yes_option
@with_library
def delete(library: Tracker, experiment: str, project: str | None, yes: bool) -> None:
    """Delete EXPERIMENT with its metrics and scalars; its children move to its parent."""
    found = experiment_named(library, experiment, project)
    confirm(f"Delete experiment {found.name}, its metrics and scalars?", yes=yes)
    library.experiments.delete(found.id)


@experiment.command()
@click.option("--project", help="Id or name; without it, the families of all projects.")
@as_json_option
@with_library
def tree(library: Tracker, project: str | None, as_json: bool) -> None:
    """Draw which experiment derives from which; --json gives the rows with their depth."""
    column, family = tree_column(experiments_of(library, project))
    if as_json:
        print_json([{"depth": depth, **_fields(member)} for member, depth in family])
    else:
        print_table((column, *COLUMNS[2:], COLUMNS[0]), [member for member, _ in family], empty=_EMPTY)


@experiment.command()
@click.argument("experiments", metavar="EXPERIMENT...", nargs=-1, required=True)
@_project
@as_json_option
@with_library
def reorder(library: Tracker, experiments: tuple[str, ...], project: str | None, as_json: bool) -> None:
    """Put the EXPERIMENTs first in their project's order, as given."""
    first = experiment_named(library, experiments[0], project)
    home = first.project_id
    others = [experiment_named(library, key, str(home)).id for key in experiments[1:]]
    ordered = library.experiments.reorder(home, [first.id, *others])
    if as_json:
        print_json(ordered)
    else:
        print_table(COLUMNS, ordered, empty=_EMPTY)


def _fields(experiment: Experiment) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = plain(experiment)
    return fields
