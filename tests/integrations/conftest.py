"""What a library's training left: read back through the library, from a folder of the test's own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tracker
from tracker.warning import TrackerWarning


class Kept:
    """Everything in a data folder, by the experiments' names."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def __enter__(self) -> Kept:
        self.library = tracker.open(self.data)
        return self

    def __exit__(self, *_: object) -> None:
        self.library.close()

    def experiments(self, project: str = "p") -> list[Any]:
        homes = self.library.projects.list(name=project)
        return list(self.library.experiments.list(homes[0].id)) if homes else []

    def only(self, project: str = "p") -> Any:
        (experiment,) = self.experiments(project)
        return experiment

    def children(self, of: Any, project: str = "p") -> list[Any]:
        return [each for each in self.experiments(project) if each.parent_id == of.id]

    def curve(self, experiment: Any, name: str) -> list[tuple[int, float]]:
        series = self.library.scalars.read(experiment.id, name)
        return list(zip(series.step.tolist(), series.value.tolist(), strict=True))

    def names(self, experiment: Any) -> set[str]:
        found = self.library.scalars.summary(experiment.project_id, [experiment.id])
        return {series.name for series in found}

    def metrics(self, experiment: Any) -> dict[str, float]:
        return {metric.name: metric.value for metric in self.library.metrics.list(experiment.id)}

    def artifacts(self, experiment: Any) -> dict[str, Any]:
        return {artifact.name: artifact for artifact in self.library.artifacts.list(experiment.id)}

    def read(self, artifact: Any) -> bytes:
        return self.library.artifacts.read(artifact)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder, which the environment names, and a working folder beside it."""
    folder = tmp_path / "data"
    monkeypatch.setenv("TRACKER_DATA", str(folder))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{folder}/tracker.db")
    monkeypatch.setenv("TRACKER_SILENT", "1")
    monkeypatch.setenv("TRACKER_CAPTURE", "0")
    monkeypatch.delenv("TRACKER_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def kept(data: Path) -> Iterator[Kept]:
    with Kept(data) as reading:
        yield reading


@pytest.fixture(autouse=True)
def complaints() -> Iterator[list[str]]:
    """What tracker warned of; a test that expects something takes it out."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        warnings.simplefilter("always", TrackerWarning)
        told = _Texts(caught)
        yield told
        assert told.left() == []


class _Texts(list):  # type: ignore[type-arg]
    def __init__(self, caught: list[warnings.WarningMessage]) -> None:
        super().__init__()
        self._caught = caught

    def left(self) -> list[str]:
        return [str(each.message) for each in self._caught if issubclass(each.category, TrackerWarning)]

    def take(self) -> list[str]:
        found = self.left()
        self._caught[:] = [each for each in self._caught if not issubclass(each.category, TrackerWarning)]
        return found
