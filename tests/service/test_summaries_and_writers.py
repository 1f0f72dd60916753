"""Carrying summaries over does not get in the way of those who change the project."""

from __future__ import annotations

import asyncio

import pytest

from tests.factories import a_metric, a_project, an_experiment
from tracker.adapters.sql.database import Database
from tracker.domain.metrics.summary import SeriesMark

ROUNDS = 25


@pytest.mark.slow
async def test_new_series_and_new_values_never_wait_for_each_other_in_a_circle(postgres_url: str) -> None:
    database = Database(postgres_url)
    project = a_project()
    runs = [an_experiment(project) for _ in range(10)]
    async with database.units.writing() as unit:
        await unit.projects.add(project)
        await unit.experiments.add_many(runs)
        await unit.commit()

    async def keep(kind: str) -> None:
        for number in range(ROUNDS):
            async with database.units.writing() as unit:
                name = f"{kind}{number}"
                await unit.summaries.keep_series([SeriesMark(r.id, name, 1, 0.5, 0.5, 0.5) for r in runs])
                await unit.commit()

    async def put(kind: str) -> None:
        for number in range(ROUNDS):
            async with database.units.writing() as unit:
                run, _ = await unit.experiments.with_scope(runs[number % 10].id)
                await unit.metrics.put([a_metric(run, name=f"{kind}{number}")])
                await unit.experiments.save(run.evolve(tags=(f"{kind}{number}",)))
                await unit.commit()

    try:
        # PostgreSQL ends one of those who wait in a circle: it would raise Unavailable.
        await asyncio.gather(keep("a"), keep("b"), put("c"), put("d"))
        async with database.units.reading() as unit:
            assert len(await unit.summaries.of_project(project.id)) == 2 * ROUNDS * 10 + 2 * ROUNDS
    finally:
        await database.dispose()
