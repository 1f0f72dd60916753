"""``tracker project``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from tracker.domain.projects.project import MetricDefinition, ProjectSettings

from .account_lookup import team_named
from .compare import importance, pareto, table
from .confirm import confirm, yes_option
from .lookup import project_named
from .output import Column, as_json_option, print_json, print_table
from .project_output import print_name_check, print_project
from .sharing import members, share, transfer, unshare
from .target import with_library
from .text import moment
from .values import METRIC_DEFINITION

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["project"]

_COLUMNS = (
    Column("id", lambda project: str(project.id)),
    Column("name", lambda project: project.name),
    Column("created", lambda project: moment(project.created_at)),
    Column("metrics", lambda project: ", ".join(metric.name for metric in project.metrics)),
    Column("description", lambda project: project.description),
)

_metrics = click.option(
    "--metric", "metrics", type=METRIC_DEFINITION, multiple=True,
    help="A tracked metric, such as loss:minimize:best; repeatable.",
)  # fmt: skip
_patterns = click.option(
    "--naming-pattern", "naming_patterns", multiple=True,
    help="How experiments are named, such as {num}_from_{parent}_{change}; repeatable, the first that matches"
    " counts; one that is empty = names are free.",
)  # fmt: skip
_replicates = click.option(
    "--replicate-key", "replicate_keys", multiple=True,
    help="A parameter in which replicates may differ; repeatable. By default seed.",
)  # fmt: skip
_display = click.option(
    "--display-metric", "display_metrics", multiple=True, help="A metric that tables show; repeatable."
)


@click.group()
def project() -> None:
    """Projects: what belongs together."""


for _command in (table, pareto, importance, members, share, unshare, transfer):
    project.add_command(_command)


@project.command("list")
@click.option("--name", help="Only those with exactly this name.")
@as_json_option
@with_library
def list_projects(library: Tracker, name: str | None, as_json: bool) -> None:
    """List the projects, oldest first."""
    found = [project for project in library.projects.list() if name is None or project.name == name]
    if as_json:
        print_json(found)
    else:
        print_table(_COLUMNS, found, empty="no projects; `tracker project create NAME` makes one")


@project.command()
@click.argument("project", metavar="PROJECT")
@as_json_option
@with_library
def show(library: Tracker, project: str, as_json: bool) -> None:
    """Show PROJECT, given by id or name."""
    print_project(project_named(library, project), as_json)


@project.command()
@click.argument("name")
@click.option("--description", default="")
@click.option("--team", help="Shared by this team: id or name.")
@_metrics
@_patterns
@_display
@_replicates
@click.option("--exist-ok", is_flag=True, help="Give the oldest project of this name if there is one.")
@as_json_option
@with_library
def create(
    library: Tracker,
    name: str,
    *,
    description: str,
    team: str | None,
    metrics: tuple[MetricDefinition, ...],
    exist_ok: bool,
    as_json: bool,
    **settings: tuple[str, ...],
) -> None:
    """Create a project called NAME."""
    made = library.projects.create(
        name=name,
        description=description,
        metrics=metrics,
        settings=_settings(ProjectSettings(), settings),
        team_id=None if team is None else team_named(library, team).id,
        exist_ok=exist_ok,
    )
    print_project(made, as_json)


@project.command()
@click.argument("project", metavar="PROJECT")
@click.option("--name")
@click.option("--description")
@click.option("--team", help="Move it into this team: id or name.")
@click.option("--no-team", is_flag=True, help="Take it out of its team.")
@_metrics
@_patterns
@_display
@_replicates
@as_json_option
@with_library
def edit(
    library: Tracker,
    project: str,
    *,
    name: str | None,
    description: str | None,
    team: str | None,
    no_team: bool,
    metrics: tuple[MetricDefinition, ...],
    as_json: bool,
    **settings: tuple[str, ...],
) -> None:
    """Change PROJECT, given by id or name; what is given replaces what was there."""
    if team is not None and no_team:
        raise click.UsageError("--team and --no-team exclude each other")
    present = project_named(library, project)
    given: dict[str, Any] = {"name": name, "description": description, "metrics": metrics or None}
    changes = {field: value for field, value in given.items() if value is not None}
    if team is not None or no_team:
        changes["team_id"] = None if team is None else team_named(library, team).id
    if any(settings.values()):
        changes["settings"] = _settings(present.settings, settings)
    if not changes:
        raise click.UsageError("nothing to change: give at least one option")
    print_project(library.projects.edit(present.id, **changes), as_json)


@project.command()
@click.argument("project", metavar="PROJECT")
@yes_option
@with_library
def delete(library: Tracker, project: str, yes: bool) -> None:
    """Delete PROJECT, given by id or name, with its experiments, metrics and scalars."""
    found = project_named(library, project)
    confirm(f"Delete project {found.name} and everything in it?", yes=yes)
    library.projects.delete(found.id)


@project.command("check-name")
@click.argument("project", metavar="PROJECT")
@click.argument("name")
@as_json_option
@with_library
def check_name(library: Tracker, project: str, name: str, as_json: bool) -> None:
    """Tell what creating an experiment called NAME in PROJECT would do, without doing it.

    {num} in NAME stands for the next number.
    """
    print_name_check(library.projects.check_name(project_named(library, project).id, name), as_json)


def _settings(present: ProjectSettings, given: Mapping[str, tuple[str, ...]]) -> ProjectSettings:
    changes = {field: values for field, values in given.items() if values}
    if changes.get("naming_patterns") == ("",):
        changes["naming_patterns"] = ()
    return present.evolve(**changes)
