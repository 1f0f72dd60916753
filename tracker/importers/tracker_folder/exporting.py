"""Writes a project, or some of its experiments, as a folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker.domain.errors import Conflict, Unavailable
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.projects.project import Project
from tracker.importers.scalar_files import Part, writer_of
from tracker.importers.tracker_folder.layout import (
    EXPERIMENTS,
    FORMAT,
    MANIFEST,
    PROJECT,
    VERSION,
    blob_path,
    digest_of,
)

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["export_project", "parts_of"]

Advance = Callable[[int], object]


def export_project(
    library: Tracker,
    project: Project,
    experiments: Sequence[Experiment],
    folder: Path,
    *,
    whole: bool = True,
    parquet: bool = False,
    advance: Advance = lambda count: None,
) -> None:
    """Writes `folder`, which must not be there yet; after an error nothing of it is.

    Args:
        library: opened on a folder or on a server.
        project: whose settings, saved queries and hypotheses go with them.
        experiments: of the project; all of them, or some.
        folder: to be made.
        whole: with its saved queries and hypotheses, which are about all of them.
        parquet: scalars as Parquet (extra ``parquet``) rather than CSV.
        advance: told how many points were written.

    Raises:
        Conflict: there is something in the place of `folder`.
        Unavailable: it cannot be written, or pyarrow is missing.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} is there already and not empty; name a folder that is to be made")
    written = folder.with_name(f"{folder.name}.part")
    try:
        shutil.rmtree(written, ignore_errors=True)
        written.mkdir(parents=True)
        scalars = written / ("scalars.parquet" if parquet else "scalars.csv")
        _write(library, _parents_first(experiments), scalars, advance)
        about = _project(library, project, whole=whole)
        (written / PROJECT).write_text(_json(about, indent=2), encoding="utf-8")
        _sign(written, project, scalars.name, len(experiments))
        if folder.exists():
            folder.rmdir()
        written.rename(folder)
    except OSError as error:
        raise Unavailable(f"{folder} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(written, ignore_errors=True)


def parts_of(library: Tracker, experiment: Experiment) -> Iterator[Part]:
    """All scalars and tags of an experiment.

    Raises:
        Unavailable: a server thinned a series that is too long for it.
    """
    for row in library.scalars.summary(experiment.project_id, [experiment.id]):
        series = library.scalars.read(experiment.id, row.name)
        if len(series) < row.count:
            raise Unavailable(f"{row.name} has {row.count} points, but only {len(series)} of them came")
        yield from Part.of_series(experiment.name, series)
    tags = library.scalars.tags(experiment.id)
    if tags:
        yield Part.of_tags(experiment.id, experiment.name, tags)


def _write(library: Tracker, experiments: Sequence[Experiment], scalars: Path, advance: Advance) -> None:
    with (scalars.parent / EXPERIMENTS).open("w", encoding="utf-8", newline="\n") as lines:
        for experiment in experiments:
            told = experiment.model_dump(mode="json")
            metrics = library.metrics.list(experiment.id)
            told["metrics"] = [metric.model_dump(mode="json") for metric in metrics]
            told |= _files(library, experiment, scalars.parent)
            told["branches"] = len(library.experiments.branches(experiment.id))
            lines.write(_json(told) + "\n")
    with writer_of(scalars, scalars) as writer:
        for experiment in experiments:
            for part in parts_of(library, experiment):
                writer.write(part)
                advance(len(part))


def _files(library: Tracker, experiment: Experiment, folder: Path) -> dict[str, Any]:
    """What tells of its artifacts and snapshots; their bytes are written on the way."""
    artifacts = library.artifacts.list(experiment.id)
    snapshots = library.artifacts.snapshots(experiment.id)
    digests = {each.digest for each in artifacts} | {file.digest for each in snapshots for file in each.files}
    for digest in sorted(digests):
        path = blob_path(folder, digest)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            library.artifacts.download(digest, path)
    return {
        "artifacts": [each.model_dump(mode="json") for each in artifacts],
        "snapshots": [each.model_dump(mode="json", include={"files", "environment"}) for each in snapshots],
    }


def _sign(folder: Path, project: Project, scalars: str, experiments: int) -> None:
    """Writes what tells that the folder is whole: last, so that without it it is no export."""
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "project_id": str(project.id),
        "experiments": experiments,
        "sha256": {name: digest_of(folder / name) for name in (PROJECT, EXPERIMENTS, scalars)},
    }
    (folder / MANIFEST).write_text(_json(manifest, indent=2), encoding="utf-8")


def _parents_first(experiments: Sequence[Experiment]) -> list[Experiment]:
    """Each behind all that it derives from; lineage has no circles."""
    here = {each.id: each for each in experiments}
    parents = {each.id: [parent for parent in each.parents if parent in here] for each in experiments}
    return [here[each] for each in TopologicalSorter(parents).static_order()]


def _project(library: Tracker, project: Project, *, whole: bool) -> dict[str, Any]:
    told = project.model_dump(mode="json")
    if not whole:
        return {"project": told, "queries": [], "hypotheses": []}
    hypotheses = []
    for judged in library.hypotheses.list(project.id):
        fields = judged.hypothesis.model_dump(mode="json")
        decisions = library.hypotheses.decisions(judged.id)
        hypotheses.append({**fields, "decisions": [each.model_dump(mode="json") for each in decisions]})
    return {
        "project": told,
        "queries": [query.model_dump(mode="json") for query in library.queries.list(project.id)],
        "hypotheses": hypotheses,
    }


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
