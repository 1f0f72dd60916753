"""``tracker export``: a project, or one experiment, as a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracker.domain.errors import NotFound

from .lazy import quick_imports
from .lookup import experiment_named, project_named
from .progress import progress
from .target import with_library

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["export"]


@click.command()
@click.argument("key", metavar="PROJECT|EXPERIMENT")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), help="The folder to make.")
@click.option("--format", "kind", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True,
              help="Of the scalars; parquet needs the extra `parquet`.")  # fmt: skip
@click.option("--project", help="Id or name of the project to look for an experiment in.")
@with_library
def export(library: Tracker, key: str, *, folder: Path, kind: str, project: str | None) -> None:
    """Write a project, or one experiment, as a folder of JSON and CSV or Parquet.

    Settings, saved queries, hypotheses with their decisions, experiments with all fields, final values
    and files, and every point bit for bit; `tracker import tracker DIR` brings it back. Where a project and
    an experiment have the same name, it is the project.
    """
    with quick_imports():
        from tracker.importers.tracker_folder.exporting import export_project  # noqa: PLC0415  (late: numpy)

    found, only = None, None
    if project is None:
        try:
            found = project_named(library, key)
        except NotFound:
            found = None
    if found is None:
        only = experiment_named(library, key, project)
        found = library.projects.get(only.project_id)
    chosen = [only] if only is not None else library.experiments.list(found.id)
    counts = library.scalars.summary(found.id, [each.id for each in chosen])
    with progress("exporting", sum(row.count for row in counts), "points") as advance:
        export_project(
            library, found, chosen, folder, whole=only is None, parquet=kind == "parquet", advance=advance
        )
