"""What a large project costs does not grow with it, counted in statements."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories import a_metric, a_project, an_experiment
from tracker.adapters.sql import migrations
from tracker.adapters.sql.database import Database
from tracker.adapters.sql.tables import projects
from tracker.domain.projects.project import Project, ProjectSettings

COUNT = 1500


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        found: str = request.getfixturevalue("postgres_url")
        return found
    file = f"sqlite:///{tmp_path / 'tracker.db'}"
    migrations.upgrade(file)
    return file


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database(url)
    yield opened
    await opened.dispose()


@pytest.fixture
def statements(database: Database) -> list[str]:
    run: list[str] = []

    def note(*given: Any) -> None:
        run.append(given[2])

    sa.event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    return run


async def test_adding_moving_and_drawing_many_takes_few_statements(
    database: Database, statements: list[str]
) -> None:
    project = a_project()
    root = an_experiment(project, position=0)
    runs = [root, *(an_experiment(project, position=n, parent_id=root.id) for n in range(1, COUNT))]
    last = an_experiment(
        project, position=COUNT, parent_id=root.id, merged_from=tuple(r.id for r in runs[1:9])
    )
    values = [a_metric(run, name=name) for run in runs for name in ("a", "b", "c")]
    async with database.units.writing() as unit:
        await unit.projects.add(project)
        statements.clear()
        await unit.experiments.add_many([*runs, last])
        assert len(statements) == 2  # experiments, and who else went into them
        await unit.metrics.put(values)
        # The values, their fields, and for each 400 runs two to read of what their summaries are made.
        assert len(statements) <= 10 + 2 * (COUNT // 400 + 1)
        await unit.commit()
    async with database.units.writing() as unit:
        statements.clear()
        await unit.experiments.reorder({last.id: 0, **{run.id: n + 1 for n, run in enumerate(runs)}})
        assert len(statements) == 1
        await unit.commit()
    async with database.units.reading() as unit:
        statements.clear()
        members = await unit.experiments.graph(project.id)
        await unit.experiments.ancestors([last.id])
        assert len([text for text in statements if "SELECT" in text]) == 2
        assert [member.id for member in members] == [last.id, *(run.id for run in runs)]
        assert [member.position for member in members] == list(range(COUNT + 1))
        assert (await unit.experiments.get(root.id)).version == 1
        assert len(await unit.metrics.of_project(project.id)) == len(values)


@pytest.mark.parametrize(("kept", "patterns"), [("", ()), ("run-{num}", ("run-{num}",))])
async def test_settings_of_a_project_that_had_one_pattern_are_read(
    database: Database, kept: str, patterns: tuple[str, ...]
) -> None:
    project = a_project()
    async with database.units.writing() as unit:
        await unit.projects.add(project)
        await unit.commit()
    old = {"naming_pattern": kept, "display_metrics": ["acc"]}
    async with database.engine.begin() as connection:
        await connection.execute(sa.update(projects).values(settings=old))
    async with database.units.writing() as unit:
        found: Project = await unit.projects.get(project.id)
        assert found.settings == ProjectSettings(naming_patterns=patterns, display_metrics=("acc",))
        saved = await unit.projects.save(found)
        assert (await unit.projects.get(project.id)).settings == saved.settings
        await unit.commit()
