"""Verdicts on hypotheses, from what units of work and time series say now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from tracker.domain.errors import NotFound, QuerySyntax, Unavailable
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.hypotheses.evidence import Evidence
from tracker.domain.hypotheses.facts import Facts, ValueKey, measure_of
from tracker.domain.hypotheses.hypothesis import Hypothesis
from tracker.domain.hypotheses.judged import JudgedHypothesis
from tracker.domain.hypotheses.judging import judge
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action, ProjectScope, may
from tracker.domain.ids import ExperimentId, ProjectId, SavedQueryId
from tracker.domain.projects.project import Project
from tracker.domain.search.saved_query import SavedQuery
from tracker.domain.search.service import experiments_matching
from tracker.ports.clock import Clock
from tracker.ports.unit_of_work import ReadingUnit

__all__ = ["SEES_EVIDENCE", "Tails", "Verdicts", "as_seen", "linkable_query"]

SEES_EVIDENCE = (Action.METRICS_VIEW, Action.EXPERIMENTS_VIEW)
"""What it takes to see numbers, and to choose what is judged and by what: verdicts on thresholds, links and
queries of one's own choice tell any number bit by bit. The verdict itself goes with the hypothesis."""


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


async def linkable_query(unit: ReadingUnit, project_id: ProjectId, query_id: SavedQueryId) -> SavedQuery:
    """The project's saved query of this id.

    Raises:
        NotFound: it has none.
    """
    query = await unit.saved_queries.get(query_id)
    # One elsewhere is answered like a missing one: its existence is nobody's business here.
    if query.project_id != project_id:
        raise NotFound.of("query", query_id)
    return query


def as_seen(actor: Actor, scope: ProjectScope, hypothesis: Hypothesis) -> Hypothesis:
    """As much of a hypothesis that `actor` may see as they are shown."""
    return hypothesis if may(actor, Action.EXPERIMENTS_VIEW, scope) else hypothesis.without_experiments()


class Verdicts:
    """Judges hypotheses of one project by what is there when it is asked, so that no verdict is ever stale.

    Args:
        tails: tells how much the ends of time series scatter.
        clock: tells what "a week ago" means to a saved query.
    """

    def __init__(self, tails: Tails, clock: Clock) -> None:
        self._tails = tails
        self._clock = clock

    async def shown(
        self,
        unit: ReadingUnit,
        actor: Actor,
        project: Project,
        found: Sequence[Hypothesis],
        judged: Sequence[Evidence] | None = None,
    ) -> tuple[JudgedHypothesis, ...]:
        """Hypotheses that `actor` may see, with as much of their verdicts as they may see.

        Args:
            unit: where they are read.
            actor: who asks.
            project: theirs.
            found: which.
            judged: their verdicts, if they were judged a moment ago.
        """
        if not found:
            return ()
        if judged is None:
            judged = await self.evidence(unit, project, found)
        sees_all = all(may(actor, action, project.scope) for action in SEES_EVIDENCE)
        authors = await unit.users.get_many({each.author_id for each in found if each.author_id})
        names = {author.id: author.display_name for author in authors.values()}
        return tuple(
            JudgedHypothesis(
                hypothesis=as_seen(actor, project.scope, each),
                author="" if each.author_id is None else names.get(each.author_id, ""),
                computed_status=evidence.computed_status,
                score=evidence.score if sees_all else None,
                headline=evidence.headline if sees_all else None,
            )
            for each, evidence in zip(found, judged, strict=True)
        )

    async def one(
        self, unit: ReadingUnit, actor: Actor, found: Hypothesis, judged: Evidence | None = None
    ) -> JudgedHypothesis:
        """The same of one hypothesis."""
        project = await unit.projects.get(found.project_id)
        (shown,) = await self.shown(unit, actor, project, [found], None if judged is None else [judged])
        return shown

    async def evidence(
        self, unit: ReadingUnit, project: Project, found: Sequence[Hypothesis]
    ) -> Sequence[Evidence]:
        """What experiments say of each; the project is read once, however many there are."""
        linked = await self._linked(unit, project, found)
        measures = [[measure_of(target, project.metrics) for target in each.targets] for each in found]
        facts = Facts((), {})
        if any(linked):
            rows = await unit.hypotheses.rows(project.id)
            values = await _values(unit, project)
            started = {row.id for row in rows if row.status is not Status.PLANNED}
            tails = await self._tails_of(
                project.id,
                {
                    (run, measure.name)
                    for runs, own in zip(linked, measures, strict=True)
                    for measure in own
                    for run in runs & started
                    if (run, measure.name, measure.label) in values
                },
            )
            facts = Facts(
                rows, values, replicate_keys=project.settings.replicate_keys,
                tails=tails, unread=tails is None,
            )  # fmt: skip
        return [judge(*each, facts) for each in zip(found, measures, linked, strict=True)]

    async def _tails_of(
        self, project_id: ProjectId, needed: Collection[tuple[ExperimentId, str]]
    ) -> Mapping[tuple[ExperimentId, str], float] | None:
        """The scatter of these series' ends, where there are any; ``None`` when they cannot be read now."""
        runs_by_name: dict[str, set[ExperimentId]] = {}
        for run, name in needed:
            runs_by_name.setdefault(name, set()).add(run)
        names_by_runs: dict[frozenset[ExperimentId], list[str]] = {}
        for name in sorted(runs_by_name):
            names_by_runs.setdefault(frozenset(runs_by_name[name]), []).append(name)
        tails: dict[tuple[ExperimentId, str], float] = {}
        try:
            for runs, names in names_by_runs.items():
                tails.update(await self._tails(project_id, runs, names))
        except Unavailable:
            return None
        return tails

    async def _linked(
        self, unit: ReadingUnit, project: Project, found: Sequence[Hypothesis]
    ) -> Sequence[frozenset[ExperimentId]]:
        queries = {query for each in found for query in each.queries}
        matched = {query: await self._found_by(unit, project, query) for query in sorted(queries)}
        return [
            frozenset(each.experiments).union(*(matched[query] for query in each.queries)) for each in found
        ]

    async def _found_by(
        self, unit: ReadingUnit, project: Project, query_id: SavedQueryId
    ) -> Collection[ExperimentId]:
        try:
            query = await linkable_query(unit, project.id, query_id)
            return await experiments_matching(unit, project, query, now=self._clock.now())
        except (NotFound, QuerySyntax):  # deleted a moment ago, or an experiment that it names was
            return ()


async def _values(unit: ReadingUnit, project: Project) -> Mapping[ValueKey, float]:
    """The one place where the values that count are loaded."""
    found = await unit.summaries.of_project(project.id)
    return {(each.experiment_id, each.name, each.label): each.value for each in found}
