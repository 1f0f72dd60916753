"""``tracker import``: what other tools have kept."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .import_output import print_report
from .lazy import quick_imports
from .output import as_json_option
from .progress import progress
from .target import with_library

if TYPE_CHECKING:
    from tracker.blocking import Tracker
    from tracker.importers.records import Source

__all__ = ["import_group"]

_PATH = click.Path(exists=True, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

_project = click.option(
    "--project", metavar="NAME", help="Put all of it into this project; made where there is none."
)

_no_files = click.option("--no-files", is_flag=True, help="Leave out files: artifacts, saved files, media.")


@click.group("import")
def import_group() -> None:
    """Bring in what other tools have kept.

    Each command reads the tool's files, keeps what is not kept yet, reads it back and reports: series,
    points, checksums, and what was not carried and why. The exit code is 1 if anything differs. Done again,
    or after an interruption, it adds what is missing and nothing twice.
    """


def _brought_in(
    library: Tracker, source: Source, project: str | None, as_json: bool, *, no_files: bool = False
) -> None:
    with quick_imports():
        from tracker.importers.writing import Writer  # noqa: PLC0415  (late: numpy)

    with progress(f"importing from {source.tool}", None, "points") as advance:
        writer = Writer(library, source.tool, project=project, advance=advance, files=not no_files)
        report = writer.take_all(source)
    print_report(report, as_json=as_json)


@import_group.command(short_help="Event files of TensorBoard.")
@click.argument("folder", metavar="DIR", type=_FOLDER)
@_project
@click.option("--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@click.option(
    "--every",
    type=click.FloatRange(0.05, 3600),
    default=2.0,
    show_default=True,
    help="Seconds between looks.",
)
@as_json_option
@with_library
def tensorboard(
    library: Tracker, folder: Path, *, project: str | None, follow: bool, every: float, as_json: bool
) -> None:
    """Event files of TensorBoard: each folder in DIR that has some is a run.

    Scalars of either kind, and hyperparameters. A run in a folder of another run becomes its child.
    """
    from tracker.importers.tensorboard.source import TensorBoardSource  # noqa: PLC0415

    source = TensorBoardSource(folder, still_running=follow)
    if follow:
        _followed(library, source, project, every)
        source.finish()
    _brought_in(library, source, project, as_json)


def _followed(library: Tracker, source: Source, project: str | None, every: float) -> None:
    """Keeps what comes until it is interrupted."""
    from tracker.domain.errors import Invalid  # noqa: PLC0415
    from tracker.importers.writing import Writer  # noqa: PLC0415

    click.echo(f"following {source.place}; Ctrl-C ends it", err=True)
    never = threading.Event()
    try:
        with progress("following", None, "points") as advance:
            writer = Writer(library, source.tool, project=project, advance=advance)
            while True:
                try:
                    for run in source.runs():
                        writer.put(run)
                except Invalid as error:
                    if "has no event files" not in error.detail:  # the first one may be still to come
                        raise
                never.wait(every)
    except KeyboardInterrupt:
        click.echo("checking what was kept", err=True)


@import_group.command(short_help="Offline runs of wandb.")
@click.argument("path", type=_PATH)
@_project
@_no_files
@as_json_option
@with_library
def wandb(library: Tracker, path: Path, project: str | None, no_files: bool, as_json: bool) -> None:
    """Offline runs of wandb: a .wandb file, or a folder with some below it."""
    from tracker.importers.wandb.source import WandbSource  # noqa: PLC0415

    _brought_in(library, WandbSource(path), project, as_json, no_files=no_files)


@import_group.command(short_help="A local store of MLflow, files or SQLite.")
@click.argument("path", metavar="PATH|URI")
@_project
@_no_files
@as_json_option
@with_library
def mlflow(library: Tracker, path: str, project: str | None, no_files: bool, as_json: bool) -> None:
    """A local store of MLflow: mlflow.db, mlruns, or file: and sqlite: URIs.

    An experiment of MLflow is a project here, unless --project names one; nested runs become children.
    """
    from tracker.importers.mlflow.source import MlflowSource  # noqa: PLC0415

    _brought_in(library, MlflowSource(path), project, as_json, no_files=no_files)


@import_group.command(short_help="Projects of trackio.")
@click.argument("path", type=_PATH)
@_project
@as_json_option
@with_library
def trackio(library: Tracker, path: Path, project: str | None, as_json: bool) -> None:
    """Projects of trackio: a .db file, or the folder that has them."""
    from tracker.importers.trackio import TrackioSource  # noqa: PLC0415

    _brought_in(library, TrackioSource(path), project, as_json)


@import_group.command("csv", short_help="CSV files, wide or long.")
@click.argument("path", type=_PATH)
@_project
@click.option(
    "--step", metavar="COLUMN", help="By default the first called step, global_step, iter, epoch..."
)
@click.option(
    "--run", metavar="COLUMN", help="By default one called run or experiment; without, a file is a run."
)
@click.option(
    "--time", metavar="COLUMN", help="Seconds since 1970 or ISO; by default one called time, timestamp..."
)
@as_json_option
@with_library
def csv_files(
    library: Tracker,
    path: Path,
    *,
    project: str | None,
    step: str | None,
    run: str | None,
    time: str | None,
    as_json: bool,
) -> None:
    """CSV: a column a metric beside a column of steps, or rows of run, name, step, value.

    PATH is a file or a folder of .csv files. Comma, semicolon, tab or | stand between cells; empty cells are
    no points.
    """
    from tracker.importers.csv_tables import CsvColumns, CsvSource  # noqa: PLC0415

    _brought_in(library, CsvSource(path, CsvColumns(step, run, time)), project, as_json)


@import_group.command("neptune-parquet", short_help="What neptune-exporter wrote.")
@click.argument("path", type=_PATH)
@_project
@click.option(
    "--step-multiplier", type=click.IntRange(1, 1_000_000), default=1, show_default=True,
    help="Neptune's steps are decimals; times this they must be whole.",
)  # fmt: skip
@as_json_option
@with_library
def neptune_parquet(
    library: Tracker, path: Path, project: str | None, step_multiplier: int, as_json: bool
) -> None:
    """What neptune-exporter wrote (needs the extra `parquet`)."""
    from tracker.importers.neptune_parquet import NeptuneSource  # noqa: PLC0415

    _brought_in(library, NeptuneSource(path, step_multiplier), project, as_json)


@import_group.command("tracker", short_help="A folder that `tracker export` wrote.")
@click.argument("folder", metavar="DIR", type=_FOLDER)
@_project
@as_json_option
@with_library
def tracker_folder(library: Tracker, folder: Path, project: str | None, as_json: bool) -> None:
    """A folder that `tracker export` wrote, back as it was."""
    with quick_imports():
        from tracker.importers.tracker_folder.importing import import_folder  # noqa: PLC0415
        from tracker.importers.tracker_folder.source import TrackerFolder  # noqa: PLC0415

    source = TrackerFolder(folder)
    with progress("importing", None, "points") as advance:
        report = import_folder(library, source, project=project, advance=advance)
    print_report(report, as_json=as_json)
