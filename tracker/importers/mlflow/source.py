"""A local store of MLflow, of either kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tracker.domain.errors import Invalid
from tracker.importers.mlflow.database import points_of, runs_in_database
from tracker.importers.mlflow.files import is_folder_of_files, points_in_files, runs_in_files
from tracker.importers.mlflow.runs import parents_first, source_run
from tracker.importers.records import SourceRun

__all__ = ["MlflowSource"]


class MlflowSource:
    """A folder ``mlruns``, a database ``mlflow.db``, or a folder with one of them.

    Args:
        place: a path, or what MLflow calls a tracking URI: ``file:...`` or ``sqlite:///...``.
    """

    tool = "mlflow"

    def __init__(self, place: str) -> None:
        self.place = place
        self._path = _path(place)

    def runs(self) -> Iterator[SourceRun]:
        """The runs of every experiment, by start, nested ones behind their parents.

        Raises:
            Invalid: there is no store, or a file of it is not as MLflow writes it.
            Unavailable: a file cannot be read.
        """
        path = self._path
        if path.is_dir() and not is_folder_of_files(path):
            inner = [path / "mlflow.db"] if (path / "mlflow.db").exists() else []
            # Beside a database this folder has but artifacts.
            inner += [path / "mlruns"] if is_folder_of_files(path / "mlruns") else []
            if len(inner) > 1:
                raise Invalid.field("PATH", f"{path} has two stores, mlflow.db and mlruns: name one of them")
            if not inner:
                raise Invalid.field(
                    "PATH", f"{path} has no store of MLflow (mlflow.db, or folders with meta.yaml)"
                )
            path = inner[0]
        in_files = path.is_dir()
        for run in parents_first(runs_in_files(path) if in_files else runs_in_database(path)):
            series, left_out = points_in_files(path, run.id) if in_files else points_of(path, run.id)
            yield source_run(replace(run, series=series, left_out=left_out))


def _path(place: str) -> Path:
    told = urlsplit(place)
    if told.scheme == "sqlite":
        path = Path(unquote(told.path.removeprefix("/")))
    elif told.scheme == "file":
        path = Path(unquote(told.path))
    elif len(told.scheme) > 1:  # not the drive of a path on Windows
        raise Invalid.field(
            "PATH",
            f"{place}: only local stores can be read; copy its mlflow.db or mlruns here, and name that",
        )
    else:
        path = Path(place)
    if not path.exists():
        raise Invalid.field("PATH", f"{path} does not exist")
    return path
