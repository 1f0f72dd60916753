"""``tracker artifact``."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracker.domain.artifacts.artifact import OCTETS, Artifact
from tracker.domain.errors import Conflict, Invalid, NotFound

from .lookup import experiment_named
from .output import Column, as_json_option, print_json, print_record, print_table
from .target import with_library
from .text import moment

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["artifact"]

_COLUMNS = (
    Column("name", lambda each: each.name),
    Column("step", lambda each: "" if each.step is None else str(each.step), is_number=True),
    Column("kind", lambda each: each.kind),
    Column("bytes", lambda each: str(each.size), is_number=True),
    Column("media type", lambda each: each.media_type),
    Column("put", lambda each: moment(each.created_at)),
)

_project = click.option("--project", help="Id or name of the project to look in; by default in all.")
_step = click.option(
    "--step", type=int, help="The one of this step; by default the one without, or the last."
)


@click.group()
def artifact() -> None:
    """Artifacts: the files of experiments."""


@artifact.command("ls")
@click.argument("experiment", metavar="EXPERIMENT")
@click.option("--kind", help="Only these: file, image, audio, text, table, ...")
@_project
@as_json_option
@with_library
def list_artifacts(
    library: Tracker, experiment: str, kind: str | None, project: str | None, as_json: bool
) -> None:
    """List the files of EXPERIMENT."""
    found = library.artifacts.list(experiment_named(library, experiment, project).id, kind=kind)
    if as_json:
        print_json(found)
    else:
        print_table(_COLUMNS, found, empty="no artifacts; `tracker artifact put` keeps a file")


@artifact.command()
@click.argument("experiment", metavar="EXPERIMENT")
@click.argument("name")
@_step
@_project
@as_json_option
@with_library
def show(
    library: Tracker, experiment: str, name: str, *, step: int | None, project: str | None, as_json: bool
) -> None:
    """Show what is known of the file NAME of EXPERIMENT."""
    found = _named(library, experiment, name, step, project)
    if as_json:
        print_json(found)
        return
    print_record(
        {
            "id": str(found.id),
            **{column.header: column.text(found) for column in _COLUMNS},
            "digest": found.digest,
            **{f"metadata.{key}": str(value) for key, value in found.metadata.items()},
        }
    )


@artifact.command()
@click.argument("experiment", metavar="EXPERIMENT")
@click.argument("name")
@click.option("--to", type=click.Path(path_type=Path), help="File or folder; by default the working folder.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@_step
@_project
@with_library
def get(
    library: Tracker,
    experiment: str,
    name: str,
    *,
    to: Path | None,
    force: bool,
    step: int | None,
    project: str | None,
) -> None:
    """Write the file NAME of EXPERIMENT to here, or to another place."""
    found = _named(library, experiment, name, step, project)
    target = to or Path()
    if target.is_dir():
        target /= found.name.rpartition("/")[2]
    if target.exists() and not force:
        raise Conflict(f"{target} is there already; --force replaces it")
    click.echo(library.artifacts.download(found, target))


@artifact.command()
@click.argument("experiment", metavar="EXPERIMENT")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help="A relative path under which it is kept; by default that of FILE alone.")
@click.option("--kind", default="file", show_default=True, help="file, image, audio, text, table, ...")
@click.option("--media-type", help="Such as image/png; by default guessed from the name.")
@click.option("--step", type=int, help="At which it was made.")
@_project
@as_json_option
@with_library
def put(
    library: Tracker,
    experiment: str,
    file: Path,
    *,
    name: str | None,
    kind: str,
    media_type: str | None,
    step: int | None,
    project: str | None,
    as_json: bool,
) -> None:
    """Keep FILE with EXPERIMENT; the same name and step again replaces it."""
    found = experiment_named(library, experiment, project)
    digest, size = _measured(file)
    if library.artifacts.missing([digest]):
        library.artifacts.upload(digest, file)
    known_as = name or file.name
    kept = library.artifacts.put(
        found.id, known_as, digest=digest, size=size, kind=kind, step=step,
        media_type=media_type or mimetypes.guess_type(known_as)[0] or OCTETS,
    )  # fmt: skip
    if as_json:
        print_json(kept)


def _measured(file: Path) -> tuple[str, int]:
    """Its digest and how many bytes it has."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest(), opened.tell()
    except OSError as error:
        raise Invalid.field("file", f"{file} cannot be read: {error.strerror}") from error


def _named(library: Tracker, experiment: str, name: str, step: int | None, project: str | None) -> Artifact:
    """The artifact of this name, and of this step if one is given.

    Raises:
        NotFound: there is none.
    """
    run = experiment_named(library, experiment, project)
    found: Sequence[Artifact] = library.artifacts.list(run.id, name=name)
    chosen = [each for each in found if step is None or each.step == step]
    if not chosen:
        at = "" if step is None else f" at step {step}"
        raise NotFound(f"artifact {name}{at} not found; `tracker artifact ls` shows those there are")
    return next((each for each in chosen if each.step is None), chosen[-1])
