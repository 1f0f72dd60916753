"""Use cases of searching."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tracker.domain.errors import Invalid, QuerySyntax
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action, may, require
from tracker.domain.ids import ExperimentId, ProjectId, SavedQueryId
from tracker.domain.metrics.summary import MetricSummary
from tracker.domain.projects.naming import Family, part_of_name
from tracker.domain.projects.project import Project
from tracker.domain.projects.service import visible_project
from tracker.domain.search.fields import FieldSummary
from tracker.domain.search.found import FoundExperiment, SearchPage
from tracker.domain.search.ordering import NEWEST_FIRST, Search, cursor_at, place_of
from tracker.domain.search.parsing import parse_filter, parse_order
from tracker.domain.search.query import (
    All,
    Compare,
    Either,
    Filter,
    Measure,
    Not,
    Operator,
    OrderKey,
    Related,
    Source,
    operands,
)
from tracker.domain.search.saved_query import SavedQuery
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork

__all__ = ["SearchService", "best_matching", "experiments_matching", "metric_named", "numbers_matching"]

_LARGEST_PAGE = 1000
_EVERYTHING = 2**31 - 1
_EDITABLE = frozenset({"name", "filter", "order_by"})


async def experiments_matching(
    unit: ReadingUnit, project: Project, query: SavedQuery, *, now: datetime
) -> tuple[ExperimentId, ...]:
    """All experiments of a project that a saved query finds, in its order.

    Raises:
        QuerySyntax: it names an experiment that is not there any more.
    """
    where = await _looked_up(unit, [project], parse_filter(query.filter, now=now))
    order = parse_order(query.order_by) or NEWEST_FIRST
    search = Search((project.id,), frozenset({project.id}), where, order, _LARGEST_PAGE, None, now)
    found: list[ExperimentId] = []
    while page := await unit.search.page(search):
        found.extend(place.id for place in page)
        if len(page) < _LARGEST_PAGE:
            break
        search = replace(search, after=page[-1])
    return tuple(found)


def metric_named(text: str, field: str = "metric") -> Measure:
    """The metric that a text names as filters do: ``val.acc``, ``acc[test]``, ``last(loss)``.

    Raises:
        QuerySyntax: it names none, or something else.
    """
    try:
        keys = parse_order(text)
    except QuerySyntax as error:
        raise QuerySyntax(error.why, error.column, field) from error
    if len(keys) != 1 or keys[0].descending or not isinstance(keys[0].operand, Measure):
        raise QuerySyntax("it takes the name of one metric, such as val.acc or acc[test]", 1, field)
    return keys[0].operand


async def numbers_matching(
    unit: ReadingUnit,
    actor: Actor,
    project: Project,
    filter: str,
    measures: Sequence[Measure],
    *,
    now: datetime,
) -> list[tuple[ExperimentId, tuple[float | None, ...]]]:
    """All experiments of a project for which a filter holds, each with a number of these metrics.

    To whom may not see the project's metrics there are none.

    Args:
        unit: where to look.
        actor: who asks; they may see the project's experiments.
        project: which.
        filter: see ``docs/guide/search.md``; empty = all.
        measures: at least one; NaN is ``None`` too.
        now: how long a run has lasted that has not ended.

    Raises:
        QuerySyntax: `filter` does not parse, or names an experiment that is not there.
    """
    where = await _looked_up(unit, [project], parse_filter(filter, now=now))
    order = tuple(OrderKey(each) for each in dict.fromkeys(measures))
    places = await unit.search.page(
        Search((project.id,), _measured(actor, [project]), where, order, _EVERYTHING, None, now)
    )
    at = {key.operand: index for index, key in enumerate(order)}
    found = []
    for place in places:
        numbers = (place.values[at[each]] for each in measures)
        found.append((place.id, tuple(None if value is None else value[1] for value in numbers)))
    return found


async def best_matching(
    unit: ReadingUnit,
    actor: Actor,
    project: Project,
    filter: str,
    measure: Measure,
    *,
    descending: bool,
    now: datetime,
) -> float | None:
    """The largest finite number of a metric, or without `descending` the smallest, of the experiments for
    which a filter holds; see :func:`numbers_matching`."""
    where = await _looked_up(unit, [project], parse_filter(filter, now=now))
    bounds = (Operator.AT_LEAST, -sys.float_info.max), (Operator.AT_MOST, sys.float_info.max)
    finite = tuple(Compare(measure, operator, bound) for operator, bound in bounds)
    order = (OrderKey(measure, descending=descending),)
    search = Search((project.id,), _measured(actor, [project]), All((where, *finite)), order, 1, None, now)
    for place in await unit.search.page(search):
        return None if place.values[0] is None else place.values[0][1]
    return None


class SearchService:
    """Finds experiments, tells what can be asked for, and keeps queries."""

    def __init__(self, units: UnitsOfWork, clock: Clock, ids: IdGenerator) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids

    async def search(
        self,
        actor: Actor,
        project_ids: Sequence[ProjectId] | None = None,
        *,
        filter: str = "",
        order_by: str = "",
        limit: int = 100,
        cursor: str | None = None,
    ) -> SearchPage:
        """Experiments for which a filter holds, with their metrics.

        To whom may not see the metrics of a project, its experiments have none: they find nothing by them,
        and are shown nothing of them.

        Args:
            actor: who asks.
            project_ids: of these projects; ``None`` = of all whose experiments `actor` may see.
            filter: see ``docs/guide/search.md``; empty = all.
            order_by: such as ``-val.acc,name``; empty = the newest first.
            limit: 1 to 1000 of them.
            cursor: of the page before; empty = from the beginning.

        Raises:
            NotFound: there is no such project that `actor` may see.
            Forbidden: they may not see its experiments.
            QuerySyntax: `filter` or `order_by` does not parse, or names an experiment that is not there.
            Invalid: `limit` is out of range, or `cursor` is of another search.
        """
        if not 1 <= limit <= _LARGEST_PAGE:
            raise Invalid.field("limit", f"must be from 1 to {_LARGEST_PAGE}")
        order = parse_order(order_by) or NEWEST_FIRST
        question = project_ids and sorted(project_ids), filter, order_by
        after, now = place_of(cursor, question, order) if cursor else (None, self._clock.now())
        where = parse_filter(filter, now=now)
        async with self._units.reading() as unit:
            projects = await _searched(unit, actor, project_ids)
            where = await _looked_up(unit, projects, where)
            measured = _measured(actor, projects)
            search = Search(tuple(p.id for p in projects), measured, where, order, limit + 1, after, now)
            places = await unit.search.page(search) if projects else ()
            page = places[:limit]
            found = await unit.experiments.get_many([place.id for place in page])
            seen = [key for key, run in found.items() if run.project_id in measured]
            metrics = await unit.summaries.of_experiments(seen)
        by_run: dict[ExperimentId, list[MetricSummary]] = {key: [] for key in found}
        for summary in metrics:
            by_run[summary.experiment_id].append(summary)
        items = (FoundExperiment.of(found[p.id], by_run[p.id]) for p in page if p.id in found)
        return SearchPage(items, cursor_at(page[-1], question, now) if len(places) > limit else None)

    async def fields(self, actor: Actor, project_id: ProjectId) -> tuple[FieldSummary, ...]:
        """What can be asked for in a project.

        Raises:
            NotFound: there is no such project that `actor` may see.
            Forbidden: they may not see its experiments.
        """
        async with self._units.reading() as unit:
            measured = _measured(actor, await _searched(unit, actor, [project_id]))
            found = await unit.search.fields([project_id])
        return tuple(field for field in found if measured or field.source is not Source.METRICS)

    async def queries(self, actor: Actor, project_id: ProjectId) -> tuple[SavedQuery, ...]:
        """A project's saved queries, by name.

        Raises:
            NotFound: there is no such project that `actor` may see.
        """
        async with self._units.reading() as unit:
            await visible_project(unit, actor, project_id, Action.EXPERIMENTS_VIEW)
            return await unit.saved_queries.list(project_id)

    async def save_query(
        self, actor: Actor, project_id: ProjectId, *, name: str, filter: str = "", order_by: str = ""
    ) -> SavedQuery:
        """Keeps a query under a name that no other of the project has.

        Raises:
            NotFound: there is no such project that `actor` may see.
            Forbidden: they may not edit its experiments, or not see its metrics, of which the query asks.
            QuerySyntax: the query does not parse.
            AlreadyExists: the name is taken.
        """
        now = self._clock.now()
        query = SavedQuery(
            id=SavedQueryId(self._ids.new()), project_id=project_id, name=name, filter=filter,
            order_by=order_by, author_id=actor.user_id, created_at=now,
        ).checked(now=now)  # fmt: skip
        async with self._units.writing() as unit:
            project = await visible_project(unit, actor, project_id, Action.EXPERIMENTS_EDIT)
            _check_metrics(actor, project, query, now)
            await unit.saved_queries.add(query)
            await unit.commit()
        return query

    async def edit_query(self, actor: Actor, query_id: SavedQueryId, **changes: Any) -> SavedQuery:
        """The query after `changes` to name, filter or order_by.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not edit the project's experiments, or not see its metrics, of which the
                query asks.
            QuerySyntax: it does not parse.
            AlreadyExists: the name is taken.
            Invalid: a change names another field.
        """
        for field in changes.keys() - _EDITABLE:
            raise Invalid.field(field, "cannot be changed")
        now = self._clock.now()
        async with self._units.writing() as unit:
            query, project = await _visible_query(unit, actor, query_id, Action.EXPERIMENTS_EDIT)
            changed = query.evolve(**changes).checked(now=now)
            _check_metrics(actor, project, changed, now)
            saved = await unit.saved_queries.save(changed)
            await unit.commit()
        return saved

    async def delete_query(self, actor: Actor, query_id: SavedQueryId) -> None:
        """Removes a query, also from what it is linked to.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not edit the project's experiments.
        """
        async with self._units.writing() as unit:
            await _visible_query(unit, actor, query_id, Action.EXPERIMENTS_EDIT)
            await unit.saved_queries.delete(query_id)
            await unit.commit()


async def _visible_query(
    unit: ReadingUnit, actor: Actor, query_id: SavedQueryId, action: Action
) -> tuple[SavedQuery, Project]:
    query = await unit.saved_queries.get(query_id)
    project = await unit.projects.get(query.project_id, asker=actor.user_id)
    require(actor, action, project.scope, kind="query", key=query_id)
    return query, project


def _check_metrics(actor: Actor, project: Project, query: SavedQuery, now: datetime) -> None:
    """Lets pass a query that asks for no metrics, and who may see these.

    A query may feed hypotheses, whose verdicts would tell what it finds.

    Raises:
        Forbidden: it does, and they may not.
    """
    where, order = parse_filter(query.filter, now=now), parse_order(query.order_by)
    asked = {*operands(where), *(key.operand for key in order)}
    if any(isinstance(operand, Measure) for operand in asked):
        require(actor, Action.METRICS_VIEW, project.scope, kind="project", key=project.id)


async def _searched(
    unit: ReadingUnit, actor: Actor, project_ids: Sequence[ProjectId] | None
) -> list[Project]:
    """The projects of a search."""
    if project_ids is None:
        projects = await unit.projects.list()
        return [each for each in projects if may(actor, Action.EXPERIMENTS_VIEW, each.scope)]
    wanted = dict.fromkeys(project_ids)
    return [await visible_project(unit, actor, each, Action.EXPERIMENTS_VIEW) for each in wanted]


def _measured(actor: Actor, projects: Sequence[Project]) -> frozenset[ProjectId]:
    """Those of the projects whose metrics an answer may tell of, be it by what it finds."""
    return frozenset(each.id for each in projects if may(actor, Action.METRICS_VIEW, each.scope))


async def _looked_up(unit: ReadingUnit, projects: Sequence[Project], test: Filter) -> Filter:
    """The filter with every experiment that it names found in these projects.

    Raises:
        QuerySyntax: there is none of that name, number or id.
    """
    match test:
        case All(tests):
            return All(tuple([await _looked_up(unit, projects, each) for each in tests]))
        case Either(tests):
            return Either(tuple([await _looked_up(unit, projects, each) for each in tests]))
        case Not(inner):
            return Not(await _looked_up(unit, projects, inner))
        case Related():
            ids = [key for each in test.references for key in await _named(unit, projects, each, test.column)]
            return replace(test, ids=tuple(ids))
    return test


async def _named(
    unit: ReadingUnit, projects: Sequence[Project], reference: str, column: int
) -> list[ExperimentId]:
    """Whom an id, or a number or name in each of the projects, means."""
    found = []
    key = _as_id(reference)
    if key is not None:
        known: Mapping[ExperimentId, Experiment] = await unit.experiments.get_many([key])
        homes = {project.id for project in projects}
        found = [each for each in known if known[each].project_id in homes]
    for project in projects if key is None else ():
        names = await unit.experiments.names(project.id, containing=part_of_name(reference))
        meant = Family(project.settings.naming_patterns, names).find(reference)
        found += [] if meant is None else [meant[0]]
    if not found:
        raise QuerySyntax(f"there is no experiment {reference!r}", column)
    return found


def _as_id(reference: str) -> ExperimentId | None:
    try:
        return ExperimentId(UUID(reference)) if len(reference) == 36 else None
    except ValueError:
        return None
