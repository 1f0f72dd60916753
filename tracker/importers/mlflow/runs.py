"""From what either store of MLflow has to a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tracker.domain.experiments.lifecycle import Status
from tracker.importers.fitting import from_micros
from tracker.importers.records import FinalValue, LeftOut, Points, SourceFile, SourceRun

__all__ = ["MlflowRun", "parents_first", "source_run"]

_NAME, _NOTE, _PARENT = "mlflow.runName", "mlflow.note.content", "mlflow.parentRunId"
_STATUS = {
    "RUNNING": Status.RUNNING, "SCHEDULED": Status.PLANNED, "FINISHED": Status.COMPLETE,
    "FAILED": Status.FAILED, "KILLED": Status.FAILED,
}  # fmt: skip


@dataclass
class MlflowRun:
    """A run as the store has it.

    Attributes:
        experiment: name of MLflow's experiment, which is a project here.
        id: MLflow's.
        name: of the run; may be empty.
        status: the word of the database.
        start, end: milliseconds since 1970 UTC.
        artifacts: where its files are.
        params, tags: text by name.
        series: time in microseconds.
    """

    experiment: str
    id: str
    name: str
    status: str
    start: int | None
    end: int | None
    artifacts: str
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    series: Mapping[str, Points] = field(default_factory=dict)
    left_out: Sequence[LeftOut] = ()

    @property
    def parent(self) -> str | None:
        """Id of the run it is nested in."""
        return self.tags.get(_PARENT) or None


def source_run(run: MlflowRun) -> SourceRun:
    """The run in terms of no tool."""
    last = {name: points.sorted() for name, points in run.series.items() if len(points)}
    tags = {key: text for key, text in run.tags.items() if key not in (_NAME, _NOTE, _PARENT)}
    long = {key: text for key, text in tags.items() if len(f"{key}={text}") > 100}
    files, elsewhere = _files(run.artifacts)
    return SourceRun(
        project=run.experiment,
        key=run.id,
        name=run.name or run.tags.get(_NAME) or run.id,
        status=_STATUS.get(run.status, Status.FAILED),
        parent=run.parent,
        started_at=from_micros(None if run.start is None else run.start * 1000),
        completed_at=from_micros(None if run.end is None else run.end * 1000),
        description=run.tags.get(_NOTE, ""),
        params=run.params,
        # What is too long for a tag is carried all the same, where long text may stand.
        features={"mlflow": {"tags": long}} if long else {},
        tags=tuple(f"{key}={text}" for key, text in tags.items() if key not in long),
        series=run.series,
        metrics=tuple(FinalValue(name, float(points.value[-1])) for name, points in last.items()),
        files=files,
        left_out=(*run.left_out, *elsewhere),
    )


def parents_first(runs: Sequence[MlflowRun]) -> Iterator[MlflowRun]:
    """Every run behind the one it is nested in."""
    waiting = {run.id: run for run in runs}
    while waiting:
        ready = [run for run in waiting.values() if run.parent not in waiting]
        for run in ready or list(waiting.values()):  # a circle, which MLflow does not make, ends too
            del waiting[run.id]
            yield run


def _files(uri: str) -> tuple[tuple[SourceFile, ...], tuple[LeftOut, ...]]:
    told = urlsplit(uri)
    if told.scheme not in ("", "file"):
        return (), (LeftOut("artifacts", f"are not in a local folder but at {uri}"),)
    folder = Path(unquote(told.path))
    found = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    return tuple(SourceFile(path.relative_to(folder).as_posix(), path) for path in found), ()
