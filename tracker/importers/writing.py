"""Puts runs of another tool into a library, once, and reads them back.

Importing again adds what is missing and nothing else: an experiment is found again by a run key made of the
source's own identity, a point by being there already, and a batch that was on its way when the import was
killed by an id made of its content and place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from tracker.domain.experiments.experiment import Experiment
from tracker.domain.metrics.metric import Metric
from tracker.domain.scalars.batch import StepTags
from tracker.importers.batches import Piece, batch_of_tags, batches
from tracker.importers.experiments import Experiments, Found
from tracker.importers.files import Files
from tracker.importers.fitted import fitted
from tracker.importers.missing import missing
from tracker.importers.records import Points, Source, SourceRun
from tracker.importers.report import Report, RunReport, SeriesCheck, checksum

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["Writer"]

Advance = Callable[[int], object]


class Writer:
    """Takes runs into a library.

    Args:
        library: opened on a folder or on a server.
        tool: whose runs they are.
        project: name of the project that takes them all; by default each goes where it comes from.
        advance: told how many points were done.
        files: whether files go into the library too.
    """

    def __init__(
        self,
        library: Tracker,
        tool: str,
        *,
        project: str | None = None,
        advance: Advance = lambda count: None,
        files: bool = True,
    ) -> None:
        self._library = library
        self._tool = tool
        self._experiments = Experiments(library, tool, project)
        self._advance = advance
        self._files = Files(library, wanted=files)
        self._carried: dict[UUID, dict[str, int]] = {}
        self._added: Counter[UUID] = Counter()

    def take_all(self, source: Source) -> Report:
        """Every run of a source, each read back.

        Raises:
            Invalid: the source is not as its tool writes it.
            Unavailable: the source cannot be read, or the library not written.
        """
        report = Report(self._tool, source.place)
        for run in source.runs():
            report.runs.append(self.check(run, self.put(run)))
        return report

    def put(self, run: SourceRun) -> Found:
        """Keeps what is not there yet."""
        run = fitted(run)
        found = self._experiments.of(run)
        pieces = list(self._pieces(found, run))
        for batch in batches(found.experiment.id, pieces):
            self._library.scalars.append(batch)
            self._advance(len(batch))
        self._added[found.experiment.id] += sum(len(piece.points) for piece in pieces)
        self._carried[found.experiment.id] = {name: len(points) for name, points in run.series.items()}
        self._tag_steps(found.experiment, run.step_tags)
        self._log_metrics(found.experiment, run)
        return found

    def check(self, run: SourceRun, found: Found) -> RunReport:
        """Keeps the run's files, reads it back, and compares."""
        run = fitted(run)
        experiment = found.experiment
        rows = self._library.scalars.summary(experiment.project_id, [experiment.id])
        more = sorted({row.name for row in rows} - run.series.keys())
        differences = [f"series {name} is here, and not in the source" for name in more]
        kept = {_key(metric): metric.value for metric in self._library.metrics.list(experiment.id)}
        wanted = {(each.name, each.label, each.step): each.value for each in run.metrics}
        differences += [
            f"final value {name}: {kept.get((name, label, step))} here, {value} in the source"
            for (name, label, step), value in wanted.items()
            if kept.get((name, label, step)) != value
        ]
        if run.step_tags and self._library.scalars.tags(experiment.id) != _by_step(run.step_tags):
            differences.append("tags of steps are not as in the source")
        kept_files = self._files.put(experiment.id, run)
        return RunReport(
            name=experiment.name,
            project=found.project.name,
            experiment_id=experiment.id,
            added=self._added[experiment.id],
            series=tuple(self._compared(experiment, name, points) for name, points in run.series.items()),
            metrics=len(wanted),
            files=kept_files.count,
            left_out=(*run.left_out, *found.left_out, *kept_files.left_out),
            differences=(*found.differences, *differences, *kept_files.differences),
        )

    def _pieces(self, found: Found, run: SourceRun) -> Iterator[Piece]:
        experiment = found.experiment
        carried = self._carried.get(experiment.id)
        if carried is None:
            rows = self._library.scalars.summary(experiment.project_id, [experiment.id])
            counts = {row.name: row.count for row in rows}
        else:
            counts = carried
        for name, points in run.series.items():
            count = counts.get(name, 0)
            if carried is not None and count <= len(points):
                lacking = points.rest(count)  # nobody else adds to it, so these are its first ones
            else:
                lacking = missing(points, self._read(experiment, name)) if count else points
            if len(lacking):
                yield Piece(name, lacking, count)

    def _read(self, experiment: Experiment, name: str) -> Points:
        series = self._library.scalars.read(experiment.id, name)
        return Points(series.step, series.time, series.value)

    def _compared(self, experiment: Experiment, name: str, points: Points) -> SeriesCheck:
        kept = self._read(experiment, name)
        return SeriesCheck(name, len(points), len(kept), checksum(points), checksum(kept))

    def _tag_steps(self, experiment: Experiment, tags: tuple[StepTags, ...]) -> None:
        if not tags:
            return
        present = self._library.scalars.tags(experiment.id)
        left = Counter(each.model_dump_json() for each in present)
        lacking = []
        for each in tags:
            told = each.model_dump_json()
            if left[told]:
                left[told] -= 1
            else:
                lacking.append(each)
        if lacking:
            self._library.scalars.append(batch_of_tags(experiment.id, lacking, len(present)))

    def _log_metrics(self, experiment: Experiment, run: SourceRun) -> None:
        if not run.metrics:
            return
        kept = {_key(metric): metric.value for metric in self._library.metrics.list(experiment.id)}
        for each in run.metrics:
            if kept.get((each.name, each.label, each.step)) != each.value:
                self._library.metrics.log(
                    experiment.id, each.name, each.value, step=each.step, label=each.label
                )


def _key(metric: Metric) -> tuple[str, str | None, int]:
    return metric.name, metric.label, metric.step


def _by_step(tags: tuple[StepTags, ...]) -> tuple[StepTags, ...]:
    order = np.argsort([each.step for each in tags], kind="stable")
    return tuple(tags[index] for index in order)
