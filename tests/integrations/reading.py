"""Everything in a data folder, read back through the library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tracker


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
