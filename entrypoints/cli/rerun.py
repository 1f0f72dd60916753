"""``tracker rerun``: an experiment once more, as a child of itself."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from tracker.domain.errors import Unavailable

from .lookup import experiment_named
from .restore import build_again, snapshot_of
from .target import Target, on_target
from .text import one_line

if TYPE_CHECKING:
    from tracker.capture.repeating import Differing, Repeated

__all__ = ["rerun"]

_SHOWN = 20
# Of the run that is repeated, or of one around this command.
_NOT_PASSED_ON = ("TRACKER_RUN_KEY", "TRACKER_RESUME", "TRACKER_NAME")
_RELATIVE_SQLITE = re.compile(r"(?P<before>sqlite(?:\+\w+)?:///)(?P<path>[^/:?][^?]*)(?P<after>(?:\?.*)?)")


class _Past(NamedTuple):
    """What is known of the run."""

    parent: str
    project: str
    environment: Mapping[str, Any]


@click.command()
@click.argument("experiment", metavar="EXPERIMENT")
@click.argument("arguments", metavar="[-- ARGUMENT...]", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--to", type=click.Path(path_type=Path), help="Where to build its files; by default a new folder."
)
@click.option("--project", help="Id or name of the project to look in; by default in all.")
@click.option("--snapshot", "snapshot_id", help="Id of one of its snapshots; by default the newest.")
@click.option("--python", help="The interpreter to run it with; by default the one that runs tracker.")
@click.option("--venv", is_flag=True, help="Make an environment with the recorded packages, by uv or pip.")
@on_target
@click.pass_context
def rerun(
    ctx: click.Context,
    experiment: str,
    arguments: tuple[str, ...],
    *,
    to: Path | None,
    project: str | None,
    snapshot_id: str | None,
    python: str | None,
    venv: bool,
) -> None:
    """Run EXPERIMENT again: its files, its command, its variables. The new run is a child of it.

    Arguments behind -- are added to the recorded ones. Packages that are not as they were are told. The
    exit code is the script's.
    """
    from tracker.capture.repeating import repeated  # noqa: PLC0415  (late: little else needs it)

    if venv and python is not None:
        raise click.UsageError("--python and --venv exclude each other: an interpreter, or a new one")
    target = ctx.ensure_object(Target)
    place = _place(to)
    with target.open() as library:
        found = experiment_named(library, experiment, project)
        snapshot = snapshot_of(library, found, snapshot_id)
        past = _Past(str(found.id), library.projects.get(found.project_id).name, snapshot.environment)
        process = repeated(past.environment, place, arguments)  # first: what cannot run needs no files
        build_again(library, snapshot, place, force=False)
    variables = _variables(target, past, process)
    interpreter = _new_environment(past, place, variables) if venv else (python or sys.executable)
    _tell_difference(past, interpreter)
    ctx.exit(_run(interpreter, process, variables))


def _place(to: Path | None) -> Path:
    return (Path(tempfile.mkdtemp(prefix="tracker-rerun-")) if to is None else to).resolve()


def _variables(target: Target, past: _Past, process: Repeated) -> dict[str, str]:
    """The environment of the script: it logs to where the run is that it repeats."""
    from tracker.settings import environment  # noqa: PLC0415

    variables = {name: value for name, value in environment().items() if name not in _NOT_PASSED_ON}
    if target.url is None:
        settings = target.settings()
        variables.pop("TRACKER_URL", None)
        variables["TRACKER_DATA"] = str(settings.data.resolve())
        variables["DATABASE_URL"] = _absolute(settings.database_url)
    else:
        variables["TRACKER_URL"] = target.url
        if target.token is not None:
            variables["TRACKER_TOKEN"] = target.token
    told = {"TRACKER_RERUN": "on", "TRACKER_PARENT": past.parent, "TRACKER_PROJECT": past.project}
    return {**variables, **process.variables, **told}


def _absolute(database_url: str) -> str:
    """The same database, wherever it is asked for."""
    match = _RELATIVE_SQLITE.fullmatch(database_url)
    if match is None:
        return database_url
    return f"{match['before']}{Path(match['path']).resolve()}{match['after']}"


def _new_environment(past: _Past, place: Path, variables: Mapping[str, str]) -> str:
    from tracker.capture.interpreters import add_tracker, make_environment  # noqa: PLC0415
    from tracker.capture.repeating import requirements  # noqa: PLC0415

    lines, unknown = requirements(past.environment, place)
    version = str(past.environment.get("python", {}).get("version", ""))
    click.echo(f"making an environment with {len(lines)} packages", err=True)
    python = make_environment(place / ".venv", version, lines, variables)
    if not any(line.startswith("tracker==") for line in lines):
        add_tracker(python)
    others = [name for name in unknown if name != "tracker"]
    if others:
        click.echo(one_line(f"not installed, since they came from a folder: {', '.join(others)}"), err=True)
    return python


def _tell_difference(past: _Past, python: str) -> None:
    from tracker.capture.interpreters import packages_of, version_of  # noqa: PLC0415
    from tracker.capture.repeating import differing  # noqa: PLC0415

    before = str(past.environment.get("python", {}).get("version", ""))
    now = version_of(python)
    if before and before != now:
        click.echo(one_line(f"Python {before} -> {now}"), err=True)
    changes = differing(past.environment, packages_of(python))
    for change in changes[:_SHOWN]:
        click.echo(one_line(_told(change)), err=True)
    if len(changes) > _SHOWN:
        click.echo(f"{len(changes) - _SHOWN} more packages differ", err=True)


def _told(change: Differing) -> str:
    return f"{change.name} {change.recorded or '(none)'} -> {change.present or '(none)'}"


def _run(python: str, process: Repeated, variables: Mapping[str, str]) -> int:
    """Runs the script to its end; its exit code, or as shells have it 128 and the signal that ended it."""
    words = [python, *process.words]
    click.echo(one_line(f"in {process.folder}: {shlex.join(words)}"), err=True)
    try:
        child = subprocess.Popen(words, cwd=process.folder, env=variables)  # noqa: S603  (a list, and no shell)
    except OSError as error:
        raise Unavailable(f"{python} cannot be started in {process.folder}: {error.strerror}") from error
    with _signals_for(child):
        code = child.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _signals_for(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Leaves it to the script what an interrupt means: a terminal sends it to both, a scheduler to one."""
    usual = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda number, frame: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda number, frame: child.send_signal(number)),
    }
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
