"""``tracker scalars export|import``: series as files, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from tracker.domain.errors import Conflict, Unavailable
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.ids import ExperimentId

from .lookup import experiment_named, experiments_of, project_named
from .progress import progress
from .target import with_library

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["export_scalars", "import_scalars"]

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("export")
@click.argument("file", type=_FILE)
@click.option("--project", help="Id or name; all of its experiments, or the one named.")
@click.option("--experiment", help="Id, or a name in --project.")
@click.option("--force", is_flag=True, help="Write over a FILE that is there.")
@with_library
def export_scalars(
    library: Tracker, file: Path, *, project: str | None, experiment: str | None, force: bool
) -> None:
    """Write scalars to FILE: .csv, or .parquet (which needs the extra `parquet`).

    Every point, bit for bit, and every tag; `tracker scalars import` brings them back.
    """
    from tracker.importers.scalar_files import writer_of  # noqa: PLC0415  (late: numpy)
    from tracker.importers.tracker_folder.exporting import parts_of  # noqa: PLC0415

    _check_kind(file)
    if file.exists() and not force:
        raise click.UsageError(f"{file} is there already; --force writes over it")
    if experiment is not None:
        chosen: Sequence[Experiment] = [experiment_named(library, experiment, project)]
    elif project is not None:
        chosen = experiments_of(library, project)
    else:
        raise click.UsageError("give --project, --experiment or both: whose scalars?")
    written = file.with_name(f"{file.name}.part")
    rows = {each.id: library.scalars.summary(each.project_id, [each.id]) for each in chosen}
    total = sum(row.count for of_one in rows.values() for row in of_one)
    try:
        with writer_of(file, written) as writer, progress("exporting", total, "points") as advance:
            for each in chosen:
                for part in parts_of(library, each):
                    writer.write(part)
                    advance(len(part))
        written.replace(file)
    except OSError as error:
        raise Unavailable(f"{file} cannot be written: {error.strerror or error}") from error
    finally:
        written.unlink(missing_ok=True)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--project", required=True, help="Id or name; experiments are found in it by name, or made.")
@click.option("--merge", is_flag=True, help="Also into experiments that have scalars already.")
@with_library
def import_scalars(library: Tracker, file: Path, project: str, merge: bool) -> None:
    """Keep the scalars of FILE, which `tracker scalars export` wrote.

    After an interruption, the same FILE with --merge adds what is missing and nothing twice.
    """
    from tracker.importers.scalar_files import reader_of  # noqa: PLC0415  (late: numpy)

    _check_kind(file)
    receivers = _Receivers(library, project_named(library, project).id, merge=merge)
    parts: Counter[ExperimentId] = Counter()
    with reader_of(file) as reader, progress("importing", reader.total, "points") as advance:
        for part in reader:
            receiver = receivers.of(part.experiment_id, part.experiment)
            # The id tells a part that came before, even after another start.
            library.scalars.append(part.batch(receiver, f"{receiver} {parts[receiver]}"))
            parts[receiver] += 1
            advance(len(part))


def _check_kind(file: Path) -> None:
    if file.suffix not in (".csv", ".parquet"):
        raise click.BadParameter(f"{file.name} ends neither in .csv nor in .parquet", param_hint="FILE")


class _Receivers:
    """The experiments of a project that take the scalars of those in a file."""

    def __init__(self, library: Tracker, project_id: UUID, *, merge: bool) -> None:
        self._library = library
        self._project_id = project_id
        self._merge = merge
        self._present = library.experiments.list(project_id)
        self._chosen: dict[UUID, ExperimentId] = {}

    def of(self, source: UUID, name: str) -> ExperimentId:
        """The one that takes those of `source`.

        Raises:
            Conflict: several have its name, two in the file would share one, or it has scalars already.
        """
        found = self._chosen.get(source)
        if found is None:
            found = self._chosen[source] = self._choose(name)
        return found

    def _choose(self, name: str) -> ExperimentId:
        named = [each for each in self._present if each.name == name]
        if len(named) > 1:
            raise Conflict(f"several experiments of the project are called {name}; rename all but one")
        if not named:
            made: Experiment = self._library.experiments.create(self._project_id, name=name)
            return made.id
        (found,) = named
        if found.id in self._chosen.values():
            raise Conflict(f"two experiments in the file are called {name}, and only one here")
        if not self._merge and self._library.scalars.summary(self._project_id, [found.id]):
            raise Conflict(f"experiment {name} has scalars already; --merge adds to them")
        return found.id
