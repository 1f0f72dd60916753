"""Verdicts on hypotheses, from what units of work and time series say now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from tracker.domain.errors import NotFound, Unavailable
from tracker.domain.hypotheses.evidence import Evidence
from tracker.domain.hypotheses.facts import Facts, Measure, ValueKey, measure_of, values_of
from tracker.domain.hypotheses.hypothesis import Hypothesis
from tracker.domain.hypotheses.judged import JudgedHypothesis
from tracker.domain.hypotheses.judging import judge
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action, may
from tracker.domain.ids import ExperimentId, HypothesisId, ProjectId, SavedQueryId
from tracker.domain.projects.project import Project
from tracker.ports.unit_of_work import ReadingUnit

__all__ = ["SEES_EVIDENCE", "Matching", "Tails", "Verdicts", "no_query"]

SEES_EVIDENCE = (Action.METRICS_VIEW, Action.EXPERIMENTS_VIEW)
"""What it takes to see numbers and linked experiments; the verdict itself goes with the hypothesis."""


class Tails(Protocol):
    """Tells how much the ends of time series scatter."""

    async def __call__(
        self, project_id: ProjectId, experiment_ids: Collection[ExperimentId], names: Collection[str]
    ) -> Mapping[tuple[ExperimentId, str], float]:
        """By experiment and name, of those that are there.

        Raises:
            Unavailable: they cannot be read now.
        """
        ...


class Matching(Protocol):
    """Tells which experiments a saved query finds."""

    async def __call__(
        self, unit: ReadingUnit, project: Project, query_id: SavedQueryId
    ) -> Collection[ExperimentId]:
        """Experiments of this project.

        Raises:
            NotFound: the project has no such saved query.
        """
        ...


async def no_query(unit: ReadingUnit, project: Project, query_id: SavedQueryId) -> Collection[ExperimentId]:
    """Where no queries are saved, none is found.

    Raises:
        NotFound: always.
    """
    raise NotFound.of("saved query", query_id)


class Verdicts:
    """Judges hypotheses of one project by what is there when it is asked, so that no verdict is ever stale.

    Args:
        tails: tells how much the ends of time series scatter.
        matching: tells which experiments a saved query finds.
    """

    def __init__(self, tails: Tails, matching: Matching = no_query) -> None:
        self._tails = tails
        self.matching = matching

    async def shown(
        self, unit: ReadingUnit, actor: Actor, project: Project, found: Sequence[Hypothesis]
    ) -> tuple[JudgedHypothesis, ...]:
        """Hypotheses that `actor` may see, with as much of their verdicts as they may see."""
        if not found:
            return ()
        sees_all = all(may(actor, action, project.scope) for action in SEES_EVIDENCE)
        authors = await unit.users.get_many({each.author_id for each in found if each.author_id})
        names = {author.id: author.display_name for author in authors.values()}
        return tuple(
            JudgedHypothesis(
                hypothesis=each if sees_all else each.evolve(experiments=()),
                author="" if each.author_id is None else names.get(each.author_id, ""),
                computed_status=evidence.computed_status,
                score=evidence.score if sees_all else None,
                headline=evidence.headline if sees_all else None,
            )
            for each, evidence in zip(found, await self.evidence(unit, project, found), strict=True)
        )

    async def one(self, unit: ReadingUnit, actor: Actor, found: Hypothesis) -> JudgedHypothesis:
        """The same of one hypothesis."""
        project = await unit.projects.get(found.project_id)
        (shown,) = await self.shown(unit, actor, project, [found])
        return shown

    async def evidence(
        self, unit: ReadingUnit, project: Project, found: Sequence[Hypothesis]
    ) -> Sequence[Evidence]:
        """What experiments say of each; the project is read once, however many there are."""
        linked = await self._linked(unit, project, found)
        measures = {each.id: [measure_of(t, project.metrics) for t in each.targets] for each in found}
        facts = Facts((), {})
        if any(linked.values()):
            everything = frozenset().union(*linked.values())
            names = {measure.name for own in measures.values() for measure in own}
            rows = await unit.hypotheses.rows(project.id)
            values = await _values(unit, project, measures.values())
            try:
                tails, unread = await self._tails(project.id, everything, names), False
            except Unavailable:
                tails, unread = {}, True
            facts = Facts(rows, values, replicate_keys=_replicate_keys(project), tails=tails, unread=unread)
        return [judge(each, measures[each.id], linked[each.id], facts) for each in found]

    async def _linked(
        self, unit: ReadingUnit, project: Project, found: Sequence[Hypothesis]
    ) -> Mapping[HypothesisId, frozenset[ExperimentId]]:
        queries = {query for each in found for query in each.queries}
        matched = {query: await self._found_by(unit, project, query) for query in sorted(queries)}
        return {
            each.id: frozenset(each.experiments).union(*(matched[query] for query in each.queries))
            for each in found
        }

    async def _found_by(
        self, unit: ReadingUnit, project: Project, query_id: SavedQueryId
    ) -> Collection[ExperimentId]:
        try:
            return await self.matching(unit, project, query_id)
        except NotFound:  # deleted a moment ago
            return ()


async def _values(
    unit: ReadingUnit, project: Project, measures: Iterable[Collection[Measure]]
) -> Mapping[ValueKey, float]:
    """The one place where the values that count are loaded."""
    wanted = {(measure.name, measure.label) for own in measures for measure in own}
    metrics = await unit.metrics.of_project(project.id)
    return values_of(project.metrics, (each for each in metrics if (each.name, each.label) in wanted))


def _replicate_keys(project: Project) -> Collection[str]:
    """The one place that knows in what replicates may differ."""
    keys: Collection[str] = getattr(project.settings, "replicate_keys", ("seed",))
    return keys
