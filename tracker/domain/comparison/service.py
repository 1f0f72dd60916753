"""Use cases of comparing experiments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tracker.domain.comparison.compared import Comparison, compare, default_baseline
from tracker.domain.comparison.matrix import Matrix, MatrixColumn, columns_of, matrix_row
from tracker.domain.comparison.metrics import Measured, MetricKey
from tracker.domain.comparison.pareto import Front, FrontMember, Objective, pareto
from tracker.domain.comparison.trees import Snapshots
from tracker.domain.errors import Invalid
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.experiments.service import visible_experiment
from tracker.domain.hypotheses.facts import Facts
from tracker.domain.hypotheses.links.service import require_too
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action, may
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.projects.project import Direction, Project
from tracker.domain.projects.service import visible_project
from tracker.domain.search.query import Measure
from tracker.domain.search.service import SearchService, best_matching, metric_named, numbers_matching
from tracker.ports.clock import Clock
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork

__all__ = ["MOST_COMPARED", "ComparisonService", "visible_experiments"]

MOST_COMPARED = 100
_MOST_OBJECTIVES = 10


async def visible_experiments(
    unit: ReadingUnit, actor: Actor, experiment_ids: Sequence[ExperimentId], action: Action, *also: Action
) -> tuple[list[Experiment], Mapping[ProjectId, Project]]:
    """The experiments in the given order, each once, with their projects.

    Args:
        unit: where to look.
        actor: who asks.
        experiment_ids: of which.
        action: what they must be allowed to do with each of them.
        also: what else.

    Raises:
        NotFound: one is not there, or the actor may not see it.
        Forbidden: they may see it, but not do this.
        Invalid: there are none, or more than 100.
    """
    wanted = list(dict.fromkeys(experiment_ids))
    if not 1 <= len(wanted) <= MOST_COMPARED:
        raise Invalid.field("ids", f"must be from 1 to {MOST_COMPARED} experiments")
    known = await unit.experiments.get_many(wanted)
    projects: dict[ProjectId, Project] = {}
    found = []
    for key in wanted:
        experiment = known.get(key)
        # A missing one takes the way of a hidden one, so that both are refused alike and as slowly.
        if experiment is None or experiment.project_id not in projects:
            experiment = await visible_experiment(unit, actor, key, action)
            project = await unit.projects.get(experiment.project_id)
            require_too(actor, also, project.scope)
            projects[project.id] = project
        found.append(experiment)
    return found, projects


class ComparisonService:
    """Puts experiments side by side."""

    def __init__(self, units: UnitsOfWork, clock: Clock, search: SearchService) -> None:
        self._units = units
        self._clock = clock
        self._search = search

    async def compare(
        self,
        actor: Actor,
        experiment_ids: Sequence[ExperimentId],
        baseline: ExperimentId | None = None,
    ) -> Comparison:
        """What differs between experiments, and by how much their metrics do.

        Metrics and snapshots of projects whose they may not see are left out as if there were none.

        Args:
            actor: who asks.
            experiment_ids: at most 100, of one project or several.
            baseline: with which the others are compared; put first where it is not among them. ``None`` = the
                parent of the first if it is among them, else the first.

        Raises:
            NotFound: one is not there, or `actor` may not see it.
            Forbidden: they may not see the experiments of its project.
            Invalid: there are none, or more than 100.
        """
        asked = list(experiment_ids)
        if baseline is not None and baseline not in asked:
            asked.insert(0, baseline)
        async with self._units.reading() as unit:
            found, projects = await visible_experiments(unit, actor, asked, Action.EXPERIMENTS_VIEW)
            base = default_baseline(found) if baseline is None else baseline
            home = projects[next(each.project_id for each in found if each.id == base)]
            measured = await _measured(unit, actor, found, [home, *projects.values()])
            snapshots = await _newest_snapshots(unit, actor, found, projects)
        return compare(found, base, measured, home.settings.replicate_keys, snapshots)

    async def matrix(
        self,
        actor: Actor,
        project_id: ProjectId,
        *,
        filter: str = "",
        order_by: str = "",
        limit: int = 100,
        cursor: str | None = None,
        baseline: ExperimentId | None = None,
    ) -> Matrix:
        """A page of a project's experiments by the metrics that it shows.

        Args:
            actor: who asks.
            project_id: which.
            filter: see ``docs/guide/search.md``; empty = all.
            order_by: such as ``-val.acc,name``; empty = the newest first.
            limit: 1 to 1000 rows.
            cursor: of the page before.
            baseline: an experiment, perhaps of another project, with which every row is compared.

        Raises:
            NotFound: there is no such project or baseline that `actor` may see.
            Forbidden: they may not see its experiments.
            QuerySyntax: `filter` or `order_by` does not parse, or names an experiment that is not there.
            Invalid: `limit` is out of range, or `cursor` is of another table.
        """
        page = await self._search.search(
            actor, [project_id], filter=filter, order_by=order_by, limit=limit, cursor=cursor
        )
        async with self._units.reading() as unit:
            project = await visible_project(unit, actor, project_id, Action.EXPERIMENTS_VIEW)
            others = {each.parent_id for each in page if each.parent_id is not None}
            sees = [project] if may(actor, Action.METRICS_VIEW, project.scope) else []
            columns = [
                await self._best(unit, actor, each, filter, column)
                for each in sees
                for column in columns_of(each)
            ]
            seen = set(others) if sees else set()
            if baseline is not None:
                (base,), homes = await visible_experiments(unit, actor, [baseline], Action.EXPERIMENTS_VIEW)
                if may(actor, Action.METRICS_VIEW, homes[base.project_id].scope):
                    seen.add(baseline)
            metrics: dict[ExperimentId | None, dict[MetricKey, float]] = {}
            for each in await unit.summaries.of_experiments(seen):
                metrics.setdefault(each.experiment_id, {})[each.name, each.label] = each.value
        reference = metrics.get(baseline, {})
        rows = (matrix_row(each, columns, metrics.get(each.parent_id, {}), reference) for each in page)
        return Matrix(tuple(columns), tuple(rows), baseline, page.next_cursor)

    async def front(
        self,
        actor: Actor,
        project_id: ProjectId,
        metrics: Sequence[str],
        *,
        minimize: Iterable[str] = (),
        filter: str = "",
    ) -> Front:
        """The experiments that no other one beats by all of some metrics at once.

        Args:
            actor: who asks.
            project_id: which project's.
            metrics: two or more, named as in a filter; each gets better the way the project says, and one
                that it does not track by growing.
            minimize: further ones that get better by falling, or those of `metrics` of which that is so
                whatever the project says.
            filter: of which experiments; empty = all.

        Raises:
            NotFound: there is no such project that `actor` may see.
            Forbidden: they may not see its experiments or metrics.
            QuerySyntax: `filter` or a metric does not parse, or `filter` names what is not there.
            Invalid: there are fewer than two metrics or more than ten, or one stands twice.
        """
        falling = [metric_named(each, "minimize") for each in minimize]
        named = [metric_named(each) for each in metrics]
        measures = list(dict.fromkeys([*named, *falling]))
        if len(set(named)) < len(named):
            raise Invalid.field("metric", "names the same metric twice")
        if not 2 <= len(measures) <= _MOST_OBJECTIVES:
            raise Invalid.field("metric", f"must name from 2 to {_MOST_OBJECTIVES} different metrics")
        async with self._units.reading() as unit:
            project = await visible_project(unit, actor, project_id, Action.METRICS_VIEW)
            require_too(actor, [Action.EXPERIMENTS_VIEW], project.scope)
            rows = await numbers_matching(unit, actor, project, filter, measures, now=self._clock.now())
            objectives = tuple(_objective(each, project, falling) for each in measures)
            chosen, whole = pareto(rows, objectives)
            found = await unit.experiments.get_many([key for key, _ in chosen])
        members = tuple(FrontMember(key, found[key].name, point) for key, point in chosen if key in found)
        return Front(objectives, members, whole, len(rows) - whole)

    async def _best(
        self, unit: ReadingUnit, actor: Actor, project: Project, filter: str, column: MatrixColumn
    ) -> MatrixColumn:
        if column.direction is None:
            return column
        best = await best_matching(
            unit, actor, project, filter, Measure(column.name, column.label),
            descending=column.direction is Direction.MAXIMIZE, now=self._clock.now(),
        )  # fmt: skip
        return column._replace(best=best)


def _objective(measure: Measure, project: Project, falling: Sequence[Measure]) -> Objective:
    tracked = (each for each in project.metrics if (each.name, each.label) == (measure.name, measure.label))
    known = next((each.direction for each in tracked), Direction.MAXIMIZE)
    return Objective(measure.name, measure.label, Direction.MINIMIZE if measure in falling else known)


async def _newest_snapshots(
    unit: ReadingUnit, actor: Actor, found: Sequence[Experiment], projects: Mapping[ProjectId, Project]
) -> Snapshots:
    seen = {key for key, each in projects.items() if may(actor, Action.ARTIFACTS_VIEW, each.scope)}
    taken = await unit.snapshots.of_experiments([each.id for each in found if each.project_id in seen])
    return {key: several[-1] for key, several in taken.items()}


async def _measured(
    unit: ReadingUnit, actor: Actor, found: Sequence[Experiment], projects: Sequence[Project]
) -> Measured | None:
    """The numbers of experiments and their complete replicates, as far as `actor` may see them.

    Args:
        unit: where to look.
        actor: who asks.
        found: the experiments.
        projects: theirs; of two that track a metric the first says which way it gets better.
    """
    seen = {each.id: each for each in projects if may(actor, Action.METRICS_VIEW, each.scope)}
    if not seen:
        return None
    replicates: dict[ExperimentId, Sequence[ExperimentId]] = {}
    complete: set[ExperimentId] = set()
    for project in seen.values():
        own = [each.id for each in found if each.project_id == project.id]
        rows = await unit.hypotheses.rows(project.id)
        facts = Facts(rows, {}, replicate_keys=project.settings.replicate_keys)
        for key in own:
            if key in facts.experiments:  # else it was deleted a moment ago
                replicates[key] = facts.replicates(key)
        complete.update(row.id for row in rows if row.status is Status.COMPLETE)
    wanted = {each.id for each in found if each.project_id in seen}.union(*replicates.values())
    definitions = [each for project in seen.values() for each in project.metrics]
    return Measured(await unit.summaries.of_experiments(wanted), definitions, replicates, complete)
