"""``tracker restore``: the files that an experiment ran with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from tracker.domain.errors import Invalid, NotFound

from .lookup import experiment_named, is_id
from .progress import progress
from .target import with_library
from .text import one_line

if TYPE_CHECKING:
    from tracker.blocking import Tracker
    from tracker.domain.artifacts.snapshot import Snapshot
    from tracker.domain.experiments.experiment import Experiment

__all__ = ["build_again", "restore", "snapshot_of"]

_SHOWN = 10


@click.command()
@click.argument("experiment", metavar="EXPERIMENT")
@click.option(
    "--to", type=click.Path(path_type=Path), required=True, help="The folder to write, made if need be."
)
@click.option("--project", help="Id or name of the project to look in; by default in all.")
@click.option("--snapshot", "snapshot_id", help="Id of one of its snapshots; by default the newest.")
@click.option("--force", is_flag=True, help="Write into a folder that is not empty.")
@with_library
def restore(
    library: Tracker, experiment: str, *, to: Path, project: str | None, snapshot_id: str | None, force: bool
) -> None:
    """Write the files that EXPERIMENT ran with to a folder, byte by byte.

    Needs no git. What was left out when they were captured is told on stderr, with the reason.
    """
    found = experiment_named(library, experiment, project)
    snapshot = snapshot_of(library, found, snapshot_id)
    build_again(library, snapshot, to, force=force)


def snapshot_of(library: Tracker, experiment: Experiment, snapshot_id: str | None) -> Snapshot:
    """The snapshot with this id, or the newest.

    Raises:
        NotFound: the experiment has none, or not this one.
    """
    taken: tuple[Snapshot, ...] = library.artifacts.snapshots(experiment.id)
    if snapshot_id is None and taken:
        return max(taken, key=lambda each: (each.created_at, each.id))
    if snapshot_id is None:
        raise NotFound(
            f"experiment {experiment.name} has no snapshot: its files were not captured (TRACKER_CAPTURE)"
        )
    if not is_id(snapshot_id):
        raise Invalid.field("snapshot", f"{snapshot_id!r} is no id")
    wanted = [each for each in taken if each.id == UUID(snapshot_id)]
    if not wanted:
        raise NotFound.of("snapshot", snapshot_id)
    return wanted[0]


def build_again(library: Tracker, snapshot: Snapshot, to: Path, *, force: bool) -> None:
    """Writes the tree of a snapshot, and tells what it lacks.

    Raises:
        Conflict: the folder is not empty, or something is in the way.
        Invalid: the snapshot is damaged.
        Unavailable: a disk or the library fails.
    """
    from tracker.run.capture.rebuilding import Tree, rebuild  # noqa: PLC0415  (late: little else needs it)

    def fetch(digest: str, place: Path) -> None:
        library.artifacts.download(digest, place)

    tree = Tree.of(snapshot.files, snapshot.environment)
    with progress("restoring", len(snapshot.files), "files") as advance:
        done = rebuild(tree, fetch, to, force=force, advance=advance)
    click.echo(f"{done.files} files, {done.size} bytes in {one_line(str(to))}", err=True)
    _tell_left_out(snapshot)


def _tell_left_out(snapshot: Snapshot) -> None:
    told = snapshot.environment.get("left_out", {})
    first = told.get("first", ())
    for each in first[:_SHOWN]:
        click.echo(one_line(f"not captured: {each['path']} ({each['reason']})"), err=True)
    rest = int(told.get("count", 0)) - len(first[:_SHOWN])
    if rest > 0:
        click.echo(f"not captured: {rest} more", err=True)
