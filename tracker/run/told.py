"""Collects what is said at the end of a run, as far as the library answers in time."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

from tracker.areas import AsyncTracker
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.hypotheses.judged import JudgedHypothesis
from tracker.domain.metrics.metric import Metric
from tracker.domain.projects.project import Aggregation, Direction, MetricDefinition, Project
from tracker.domain.scalars.ranks import rank_of
from tracker.domain.scalars.series import SeriesSummary
from tracker.run.ending import Curve, Ending

__all__ = ["told"]

_T = TypeVar("_T")

_MOST_CURVES = 5
_POINTS = 200
_JUDGED_BY = re.compile(r"(^|[._/-])(val|valid|validation|eval|test|dev)([._/-]|$)", re.IGNORECASE)
_COMMON = re.compile(r"loss|acc|auc|f1|bleu|rouge|reward|return|perplexity|error|score", re.IGNORECASE)


async def told(
    library: AsyncTracker, experiment: Experiment, known: Ending, *, within: float = 3.0
) -> Ending:
    """What there is to say of an experiment that has ended. Never raises: what does not answer, or may not
    be seen, is left out and named.

    Args:
        library: where it is.
        experiment: as it is at the end.
        known: what the run itself knows: how long it took, its points, what waits; and ``where`` it is
            shown, which by default is ``tracker show`` with its name.
        within: seconds that all of it may take.
    """
    asked = _Asked(asyncio.get_running_loop().time() + within)
    home, one = experiment.project_id, experiment.id
    ids = [one] if experiment.parent_id is None else [one, experiment.parent_id]
    project, parent, rows, finals, hypotheses = await asyncio.gather(
        asked("", library.projects.get(home), None),
        asked("", _parent(library, experiment), None),
        asked("curves", library.scalars.summary(home, ids), ()),
        asked("final values", _finals(library, ids), {}),
        asked("hypotheses", library.hypotheses.list(home), ()),
    )
    linked = [each for each in hypotheses if one in each.hypothesis.experiments]
    facts = _Facts(project, experiment, rows, finals, linked)
    names = facts.names()
    values = await asked("curves", _values(library, experiment, facts.drawn(names)), {})
    return known._replace(
        name=experiment.name,
        project=known.project if project is None else project.name,
        status=experiment.status.value,
        reason=known.reason or getattr(experiment, "end_reason", None),
        curves=[facts.curve(name, values.get(name, ())) for name in names[:_MOST_CURVES]],
        further=len(names[_MOST_CURVES:]),
        parent="" if parent is None else parent.name,
        hypotheses=[(each.hypothesis.title, each.status.value) for each in linked],
        where=known.where or f"tracker show {_called(experiment)}",
        unknown=list(dict.fromkeys(asked.unanswered)),
    )


class _Asked:
    """Asks for things until the time is over, and remembers what did not answer."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self.unanswered: list[str] = []

    async def __call__(self, what: str, answer: Awaitable[_T], otherwise: _T) -> _T:
        try:
            async with asyncio.timeout_at(self._deadline):
                return await answer
        except Exception:  # a store that is away, a right that is missing: the run has ended all the same
            if what:
                self.unanswered.append(what)
            return otherwise


class _Facts:
    """What is known of an experiment's metrics, and of its parent's."""

    def __init__(
        self,
        project: Project | None,
        experiment: Experiment,
        rows: Sequence[SeriesSummary],
        finals: Mapping[Any, Sequence[Metric]],
        hypotheses: Sequence[JudgedHypothesis],
    ) -> None:
        self._project = project
        self._definitions = {} if project is None else {each.name: each for each in project.metrics}
        self._targets = [target.name for each in hypotheses for target in each.hypothesis.targets]
        mine, above = experiment.id, experiment.parent_id
        self._rows = tuple(
            {row.name: row for row in rows if row.experiment_id == one} for one in (mine, above)
        )
        self._finals = tuple(_last(finals.get(one, ())) for one in (mine, above))

    def names(self) -> list[str]:
        """All metrics, what matters most first: what the project shows, what it tracks, what a
        hypothesis is about; then what is measured on data that was held out, what is called like a loss or a
        score, and the rest by name, the machine's own metrics last. Ranks of a job are one."""
        chosen = [] if self._project is None else [*self._project.settings.display_metrics]
        order = {name: index for index, name in enumerate([*chosen, *self._definitions, *self._targets])}
        series = {name for name in self._rows[0] if not rank_of(name)[1]}
        there = series | self._finals[0].keys()

        def place(name: str) -> tuple[float, bool, bool, bool, str]:
            known = order.get(name, math.inf)
            return (
                known,
                name.startswith("system."),
                not _JUDGED_BY.search(name),
                not _COMMON.search(name),
                name,
            )

        return sorted(there, key=place)

    def drawn(self, names: Sequence[str]) -> list[str]:
        """Those of the first ones that have a curve."""
        return [name for name in names[:_MOST_CURVES] if name in self._rows[0]]

    def curve(self, name: str, values: Sequence[float]) -> Curve:
        """One metric, its values drawn."""
        definition = self._definitions.get(name)
        row = self._rows[0].get(name)
        last = self._finals[0].get(name) if row is None else row.last_value
        best = extent = None
        if row is not None and row.min_value is not None and row.max_value is not None:
            extent = row.min_value, row.max_value
            best = _better(definition, extent)
        value, before = self._counted(0, name), self._counted(1, name)
        delta = None if value is None or before is None else value - before
        if delta is not None and not math.isfinite(delta):
            delta = None
        is_better = None
        if definition is not None and delta:
            is_better = (delta > 0) == (definition.direction is Direction.MAXIMIZE)
        return Curve(
            name, values, last, best, None if best is not None else extent,
            before if delta is not None else None, delta, is_better,
        )  # fmt: skip

    def _counted(self, who: int, name: str) -> float | None:
        """The value by which it is judged: a final one if there is one, else the series's best or last."""
        if name in self._finals[who]:
            return self._finals[who][name]
        row = self._rows[who].get(name)
        if row is None:
            return None
        definition = self._definitions.get(name)
        if (
            definition is not None
            and definition.aggregation is Aggregation.BEST
            and row.min_value is not None
        ):
            return row.max_value if definition.direction is Direction.MAXIMIZE else row.min_value
        return row.last_value


def _better(definition: MetricDefinition | None, extent: tuple[float, float]) -> float | None:
    """The better end; ``None`` where nobody said which it is."""
    if definition is None:
        return None
    return extent[1] if definition.direction is Direction.MAXIMIZE else extent[0]


async def _parent(library: AsyncTracker, experiment: Experiment) -> Experiment | None:
    return None if experiment.parent_id is None else await library.experiments.get(experiment.parent_id)


async def _finals(library: AsyncTracker, ids: Sequence[Any]) -> dict[Any, Sequence[Metric]]:
    return {one: await library.metrics.list(one) for one in ids}


async def _values(
    library: AsyncTracker, experiment: Experiment, names: Sequence[str]
) -> dict[str, Sequence[float]]:
    """Of some series enough points to draw."""
    if not names:
        return {}
    found = await library.scalars.sample(
        experiment.project_id, [experiment.id], names=names, max_points=_POINTS
    )
    return {each.name: each.value.tolist() for each in found}


def _last(metrics: Sequence[Metric]) -> dict[str, float]:
    """The final values without a label, the last by step of each."""
    found = sorted((each for each in metrics if each.label is None), key=lambda each: each.step)
    return {each.name: each.value for each in found}


def _called(experiment: Experiment) -> str:
    """What the shell finds it by: its name, quoted where it must be."""
    name = experiment.name
    return name if re.fullmatch(r"[\w.@%+=:/-]+", name) and not name.startswith("-") else str(experiment.id)
