"""``tracker experiment edit|start|complete|fail``: what changes an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from tracker.domain.experiments.ending import EndKind
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId

from .experiment_output import print_experiment
from .lookup import experiment_named
from .output import as_json_option
from .target import with_library
from .values import JSON_OBJECT, PARAM, STATUS, TEXT_FILE

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["complete", "edit", "fail", "start"]

_experiment = click.argument("experiment", metavar="EXPERIMENT")
_project = click.option("--project", help="Id or name of the project to look in; by default in all.")


@click.command()
@_experiment
@_project
@click.option("--name")
@click.option("--description")
@click.option("--status", type=STATUS)
@click.option("--parent", help="Experiment of the same project.")
@click.option("--no-parent", is_flag=True, help="It derives from nothing.")
@click.option("--merged-from", "merged", multiple=True, help="A further parent to add; repeatable.")
@click.option("--remove-merged", "removed_merged", multiple=True, help="Repeatable.")
@click.option("--param", "params", type=PARAM, multiple=True, help="Sets one, such as lr=0.1; repeatable.")
@click.option("--remove-param", "removed_params", multiple=True, help="Repeatable.")
@click.option("--features", type=JSON_OBJECT, help="A file with the JSON object to have; - is stdin.")
@click.option("--git-diff", type=TEXT_FILE, help="A file with uncommitted changes; - is stdin.")
@click.option("--tag", "tags", multiple=True, help="Adds one; repeatable.")
@click.option("--remove-tag", "removed_tags", multiple=True, help="Repeatable.")
@click.option("--color", help="#rrggbb.")
@click.option("--position", type=int, help="Place in the project's order, 0 first.")
@click.option("--progress", type=float, help="Per cent done.")
@as_json_option
@with_library
def edit(
    library: Tracker,
    experiment: str,
    *,
    project: str | None,
    parent: str | None,
    no_parent: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Change EXPERIMENT; what is not given stays as it is."""
    if parent is not None and no_parent:
        raise click.UsageError("--parent and --no-parent exclude each other")
    present = experiment_named(library, experiment, project)
    changes = _changes(present, options)
    if options["merged"] or options["removed_merged"]:
        changes["merged_from"] = _merged(library, present, options)
    if parent is not None:
        changes["parent_id"] = experiment_named(library, parent, str(present.project_id)).id
    elif no_parent:
        changes["parent_id"] = None
    if not changes:
        raise click.UsageError("nothing to change: give at least one option")
    print_experiment(library.experiments.edit(present.id, **changes), as_json)


@click.command()
@_experiment
@_project
@as_json_option
@with_library
def start(library: Tracker, experiment: str, project: str | None, as_json: bool) -> None:
    """EXPERIMENT begins to run, or runs again."""
    _become(library, experiment, project, Status.RUNNING, as_json)


@click.command()
@_experiment
@_project
@as_json_option
@with_library
def complete(library: Tracker, experiment: str, project: str | None, as_json: bool) -> None:
    """EXPERIMENT ended well."""
    _become(library, experiment, project, Status.COMPLETE, as_json)


@click.command()
@_experiment
@_project
@click.option("--kind", type=click.Choice([kind.value for kind in EndKind]), help="What ended it.")
@click.option("--reason", help="Why, in words.")
@as_json_option
@with_library
def fail(
    library: Tracker,
    experiment: str,
    *,
    project: str | None,
    kind: str | None,
    reason: str | None,
    as_json: bool,
) -> None:
    """EXPERIMENT ended badly."""
    told = {"end_kind": None if kind is None else EndKind(kind), "end_reason": reason}
    given = {field: value for field, value in told.items() if value is not None}
    _become(library, experiment, project, Status.FAILED, as_json, **given)


def _become(
    library: Tracker, experiment: str, project: str | None, status: Status, as_json: bool, **told: Any
) -> None:
    found = experiment_named(library, experiment, project)
    print_experiment(library.experiments.edit(found.id, status=status, **told), as_json)


def _merged(library: Tracker, present: Experiment, options: Mapping[str, Any]) -> tuple[ExperimentId, ...]:
    """The further parents with those to add and without those to remove."""
    home = str(present.project_id)
    added, removed = (
        [experiment_named(library, key, home).id for key in options[name]]
        for name in ("merged", "removed_merged")
    )
    return tuple(dict.fromkeys(each for each in (*present.merged_from, *added) if each not in removed))


def _changes(present: Experiment, options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the options change; params and tags grow and shrink, the others are replaced."""
    changes = {
        field: options[field]
        for field in ("name", "description", "features", "git_diff", "color", "position", "progress")
        if options[field] is not None
    }
    if options["status"] is not None:
        changes["status"] = Status(options["status"])
    if options["params"] or options["removed_params"]:
        kept = {key: v for key, v in present.params.items() if key not in options["removed_params"]}
        changes["params"] = {**kept, **dict(options["params"])}
    if options["tags"] or options["removed_tags"]:
        tags = (*(tag for tag in present.tags if tag not in options["removed_tags"]), *options["tags"])
        changes["tags"] = tuple(dict.fromkeys(tags))
    return changes
