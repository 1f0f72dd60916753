"""Memory, SQLite and PostgreSQL give the same experiments in the same order, page by page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from tests.factories import NOON
from tests.search_cases import a_project_with_metrics, filters, marks_of, metrics_of, orders, runs_of
from tests.side_by_side import close_shared_database, emptied, shared_database
from tests.tries import tries
from tracker.adapters.memory import MemoryUnitsOfWork
from tracker.adapters.sql.database import Database
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.projects.project import Project
from tracker.domain.search.ordering import Place, Search
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork, WritingUnit

Opened = tuple[asyncio.Runner, Database]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest) -> Iterator[Opened]:
    """A migrated database for all examples."""
    if request.param == "sqlite":
        yield shared_database()
        close_shared_database()
        return
    loop, database = asyncio.Runner(), Database(request.getfixturevalue("module_postgres_url"))
    loop.run(database.prepare(auto_upgrade=True))
    yield loop, database
    loop.run(database.dispose())
    loop.close()


@settings(max_examples=tries(10), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_the_same_rows_come_in_the_same_order_from_memory_and_sql(
    opened: Opened, data: st.DataObject
) -> None:
    loop, database = opened
    loop.run(emptied(database.units))
    both: tuple[UnitsOfWork, ...] = (MemoryUnitsOfWork(), database.units)
    projects, runs = _drawn(data)
    for step in (_filling(data, projects, runs), _changing(data, projects, runs)):
        for units in both:
            loop.run(_written(units, step))
    ids = [run.id for run in runs]
    for _ in range(8):
        chosen = [project.id for project in data.draw(st.sampled_from([projects, projects[:1]]))]
        search = Search(
            projects=tuple(chosen),
            measured=frozenset(data.draw(st.sampled_from([chosen, chosen, chosen[:1], []]))),
            where=data.draw(filters(ids)),
            order=data.draw(orders),
            limit=data.draw(st.sampled_from([1, 2, 100])),
            after=None,
            now=NOON,
        )
        found = [loop.run(_paged(units, search)) for units in both]
        assert found[0] == found[1]
        assert len({place.id for place in found[0]}) == len(found[0])
    told = [loop.run(_derived(units, projects)) for units in both]
    assert told[0] == told[1]


def _drawn(data: st.DataObject) -> tuple[list[Project], list[Experiment]]:
    projects = [data.draw(a_project_with_metrics()) for _ in range(2)]
    runs: list[Experiment] = []
    for _ in range(data.draw(st.integers(1, 6))):
        project = data.draw(st.sampled_from(projects))
        older = [run.id for run in runs if run.project_id == project.id]
        runs.append(data.draw(runs_of(project, older)))
    return projects, runs


Step = Callable[[WritingUnit], Awaitable[None]]


def _filling(data: st.DataObject, projects: list[Project], runs: list[Experiment]) -> Step:
    marks = [mark for run in runs for mark in data.draw(marks_of(run))]
    finals = [metric for run in runs for metric in data.draw(metrics_of(run))]

    async def fill(unit: WritingUnit) -> None:
        for project in projects:
            await unit.projects.add(project)
        for run in runs:
            await unit.experiments.add(run)
        await unit.metrics.put(finals[1:])
        await unit.summaries.keep_series(marks)
        await unit.metrics.put(finals[:1])

    return fill


def _changing(data: st.DataObject, projects: list[Project], runs: list[Experiment]) -> Step:
    """Some say something else now, are judged in another way, or are gone."""
    chosen = data.draw(st.sampled_from(runs))
    drawn = data.draw(runs_of(projects[0], []))
    changed = chosen.evolve(
        params=drawn.params, features=drawn.features, tags=drawn.tags, parent_id=chosen.parent_id
    )
    is_loaded, gone = data.draw(st.booleans()), data.draw(st.none() | st.sampled_from(runs))
    judged = data.draw(a_project_with_metrics())

    async def change(unit: WritingUnit) -> None:
        if is_loaded:
            await unit.experiments.get(chosen.id)
        await unit.experiments.save(changed)
        await unit.projects.save(projects[0].evolve(metrics=judged.metrics))
        if gone is not None:
            await unit.experiments.delete(gone.id)

    return change


async def _written(units: UnitsOfWork, step: Step) -> None:
    async with units.writing() as unit:
        await step(unit)
        await unit.commit()


async def _paged(units: UnitsOfWork, search: Search) -> list[Place]:
    found: list[Place] = []
    async with units.reading() as unit:
        while page := await unit.search.page(search):
            found.extend(page)
            search = replace(search, after=page[-1])
    return found


async def _derived(units: UnitsOfWork, projects: list[Project]) -> Any:
    async with units.reading() as unit:
        told = repr([await _told(unit, project) for project in projects])
    # As text, NaN equals itself; but so must the two zeros, of which SQLite keeps one.
    return re.sub(r"=-0\.0\b", "=0.0", told)


async def _told(unit: ReadingUnit, project: Project) -> Any:
    runs = [run.id for run in await unit.experiments.list(project.id)]
    return (
        await unit.search.fields([project.id]),
        await unit.summaries.of_project(project.id),
        await unit.summaries.of_experiments(runs),
    )
