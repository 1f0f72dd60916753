"""Searching in memory: looks at every experiment."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from tracker.adapters.memory.state import Current
from tracker.adapters.memory.summaries import MemorySummaryRepository
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.metrics.summary import MetricSummary
from tracker.domain.search.attributes import AttributeType, attributes_of
from tracker.domain.search.evaluation import Document, holds, sort_value
from tracker.domain.search.fields import FieldSummary
from tracker.domain.search.ordering import Place, Search, arranged, is_behind
from tracker.domain.search.query import Related, Relation, Source, leaves

__all__ = ["MemorySearchRepository"]


class MemorySearchRepository:
    """Keeps the port :class:`tracker.ports.search.SearchRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current
        self._summaries = MemorySummaryRepository(current)

    async def page(self, search: Search) -> tuple[Place, ...]:
        """The first of the order."""
        kin = {test: self._kin(test) for test in leaves(search.where) if isinstance(test, Related)}
        found = [
            Place(tuple(sort_value(key.operand, document) for key in search.order), document.experiment.id)
            for document in await self._documents(search)
            if holds(search.where, document, kin)
        ]
        if search.after is not None:
            found = [place for place in found if is_behind(place, search.after, search.order)]
        return tuple(arranged(found, search.order, lambda place: place)[: search.limit])

    async def fields(self, project_ids: Collection[ProjectId]) -> tuple[FieldSummary, ...]:
        """What there is to ask for."""
        state = self._current.state
        numbers: dict[tuple[Source, str, str], list[tuple[str, float | None]]] = defaultdict(list)
        runs = [run for run in state.experiments.values() if run.project_id in project_ids]
        for run in runs:
            for (source, path), said in attributes_of(run).items():
                number = None if said.type is AttributeType.BOOL else said.number
                numbers[source, path, ""].append((said.type, number))
        for summary in await self._summaries.of_experiments([run.id for run in runs]):
            value = None if math.isnan(summary.value) else summary.value
            numbers[Source.METRICS, summary.name, summary.label or ""].append((AttributeType.FLOAT, value))
        return tuple(_field(*key, numbers[key]) for key in sorted(numbers))

    async def _documents(self, search: Search) -> list[Document]:
        state = self._current.state
        runs = [run for run in state.experiments.values() if run.project_id in search.projects]
        metrics: dict[ExperimentId, dict[tuple[str, str | None], MetricSummary]]
        metrics = {run.id: {} for run in runs}
        measured = [run.id for run in runs if run.project_id in search.measured]
        for summary in await self._summaries.of_experiments(measured):
            metrics[summary.experiment_id][summary.name, summary.label] = summary
        return [
            Document(
                experiment=run,
                attributes=attributes_of(run),
                metrics=metrics[run.id],
                user=state.users[run.created_by].email if run.created_by else None,
                now=search.now,
            )
            for run in runs
        ]

    def _kin(self, test: Related) -> frozenset[ExperimentId]:
        """Who stands in the relation, by following edges until nobody is new."""
        edges = list(self._edges())
        if test.relation is Relation.CHILD:
            runs = self._current.state.experiments.values()
            return frozenset(run.id for run in runs if run.parent_id in (test.ids or ()))
        if test.relation is Relation.ANCESTOR:
            edges = [(parent, child) for child, parent in edges]
        nearer: dict[ExperimentId, list[ExperimentId]] = defaultdict(list)
        for near, far in edges:
            nearer[far].append(near)
        found: set[ExperimentId] = set()
        waiting = list(test.ids or ())
        while waiting:
            new = [near for near in nearer[waiting.pop()] if near not in found]
            found.update(new)
            waiting.extend(new)
        return frozenset(found)

    def _edges(self) -> Iterator[tuple[ExperimentId, ExperimentId]]:
        for run in self._current.state.experiments.values():
            if run.parent_id is not None:
                yield run.id, run.parent_id
            for parent_id in run.merged_from:
                yield run.id, parent_id


def _field(source: Source, path: str, label: str, values: Iterable[tuple[str, float | None]]) -> FieldSummary:
    known = list(values)
    numbers = [number for _, number in known if number is not None]
    types = {str(type_) for type_, _ in known} - {AttributeType.TAG.value}
    return FieldSummary(
        source, path, label or None, tuple(sorted(types)), len(known),
        min(numbers, default=None), max(numbers, default=None),
    )  # fmt: skip
