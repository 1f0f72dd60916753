"""What the migration derives from a database of before is what the code derives from the same things."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.factories import a_metric, a_project, an_experiment
from tracker.adapters.sql import migrations
from tracker.adapters.sql.database import Database
from tracker.domain.projects.project import Aggregation, Direction, MetricDefinition, Project


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database on disk."""
    if request.param == "postgres":
        found: str = request.getfixturevalue("postgres_url")
        return found
    file = f"sqlite:///{tmp_path / 'data.db'}"
    migrations.upgrade(file)
    return file


def test_an_upgraded_database_is_searched_like_one_that_was_new(url: str) -> None:
    project = asyncio.run(_filled(url))
    before = asyncio.run(_derived(url, project))
    migrations.downgrade(url, "0002")
    migrations.upgrade(url)
    migrations.check(url)
    assert asyncio.run(_derived(url, project)) == before
    asyncio.run(_more(url, project))


async def _filled(url: str) -> Project:
    database = Database(url)
    tracked = (
        MetricDefinition(name="loss", direction=Direction.MINIMIZE, aggregation=Aggregation.BEST),
        MetricDefinition(name="acc", label="val", aggregation=Aggregation.AVERAGE),
    )
    project = a_project(metrics=tracked)
    layers = [{"name": "conv", "size": 3, "more": {"a": []}}, {"name": "Ä"}]
    run = an_experiment(
        project,
        params={"lr": 0.1, "n": 2**63 - 1, "flag": True, "opt": "adam", "nothing": None},
        features={"layers": layers, "empty": {}, "list": [1, None, "é"], "deep": {"er": {"x": -0.5}}},
        tags=("a", "Ä"),
    )
    async with database.units.writing() as unit:
        await unit.projects.add(project)
        await unit.experiments.add(run)
        await unit.experiments.add(an_experiment(project))
        for step, value in enumerate((0.5, 0.25, 0.75)):
            await unit.metrics.put([a_metric(run, name="loss", step=step, value=value)])
            await unit.metrics.put([a_metric(run, label="val", step=step, value=value)])
            await unit.metrics.put([a_metric(run, name="free", step=step, value=value)])
        await unit.commit()
    await database.dispose()
    return project


async def _derived(url: str, project: Project) -> str:
    database = Database(url)
    async with database.units.reading() as unit:
        told = (await unit.search.fields([project.id]), await unit.summaries.of_project(project.id))
    await database.dispose()
    return repr(told)


async def _more(url: str, project: Project) -> None:
    """New fields get numbers that are free."""
    database = Database(url)
    async with database.units.writing() as unit:
        await unit.experiments.add(an_experiment(project, params={"another": 1}))
        await unit.commit()
        assert len(await unit.search.fields([project.id])) == 16
    await database.dispose()
