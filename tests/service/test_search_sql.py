"""What a search sends to the database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from tests.doubles import SettableClock
from tests.factories import a_metric, a_project, an_experiment
from tracker.adapters.sql.database import Database
from tracker.adapters.system.ids import UuidV7Generator
from tracker.domain.identity.actor import LOCAL_USER, Actor
from tracker.domain.projects.project import Project
from tracker.domain.search.service import SearchService

ROOT = Actor(user_id=LOCAL_USER, is_superuser=True)
SHAPES = [
    "acc > {n}", "params.lr = {n} or params.opt = {t}", "name like {t} and not tag in ({t}, 'x')",
    "features.a is null or description matches {t}", "created > '2026-01-0{d}' and user = {t}",
    "params.opt ilike {t}", "tag like {t}", "last(acc) = {n} and acc != {n}", "duration < {n}",
]  # fmt: skip
VALUES = [
    {"n": "0.5", "t": '"adam"', "d": "1"},
    {"n": "-7e300", "t": '"x\'; DROP TABLE experiments; --"', "d": "9"},
]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database(url)
    await opened.prepare(auto_upgrade=True)
    yield opened
    await opened.dispose()


@pytest.fixture
async def project(database: Database) -> Project:
    project = a_project()
    run = an_experiment(project, params={"lr": 1, "opt": "adam"}, features={"a": 1}, tags=("x", "y"))
    async with database.units.writing() as unit:
        await unit.projects.add(project)
        await unit.experiments.add(run)
        await unit.metrics.put([a_metric(run)])
        await unit.commit()
    return project


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("shape", SHAPES)
async def test_what_is_typed_reaches_sql_as_bound_parameters_alone(
    database: Database, project: Project, shape: str, values: dict[str, str]
) -> None:
    told: list[str] = []
    sa.event.listen(
        database.engine.sync_engine, "before_cursor_execute", lambda *given: told.append(given[2])
    )
    service = SearchService(database.units, SettableClock(), UuidV7Generator())
    await service.search(ROOT, [project.id], filter=shape.format(**values), order_by="-acc,params.opt")
    assert 0 < len(told) <= 8
    for typed in ("DROP", "adam", "0.5", "7e300", "7e+300", "2026"):
        assert typed not in "".join(told)


async def test_many_tests_of_one_field_look_at_its_row_once(database: Database, project: Project) -> None:
    told: list[str] = []
    sa.event.listen(
        database.engine.sync_engine, "before_cursor_execute", lambda *given: told.append(given[2])
    )
    service = SearchService(database.units, SettableClock(), UuidV7Generator())
    tests = " or ".join(f"acc = {n / 8} or params.lr = {n}" for n in range(99))
    await service.search(ROOT, [project.id], filter=f"({tests}) and name != 'x'", order_by="name")
    assert max(text.count("EXISTS") for text in told) == 2


async def test_a_filter_as_deep_as_may_be_is_taken(database: Database, project: Project) -> None:
    service = SearchService(database.units, SettableClock(), UuidV7Generator())
    deep = "acc > 0"
    for level in range(20):
        deep = f"not (tag = a{level} {'and' if level % 2 else 'or'} params.p{level} = 1 and {deep})"
    found = await service.search(ROOT, [project.id], filter=deep, order_by="params.opt,-acc,name")
    assert [run.params["opt"] for run in found] == [
        "adam"
    ]  # no inner test holds, so the outermost `not` does


async def test_names_of_fields_are_parameters_too(database: Database, project: Project) -> None:
    told: list[str] = []
    sa.event.listen(
        database.engine.sync_engine, "before_cursor_execute", lambda *given: told.append(given[2])
    )
    service = SearchService(database.units, SettableClock(), UuidV7Generator())
    hostile = "secret'--"
    await service.search(
        ROOT, [project.id],
        filter=f'params.`{hostile}` = 1 or metrics.`{hostile}`["{hostile}"] > 1 or tag = "{hostile}"',
        order_by=f"features.`{hostile}`",
    )  # fmt: skip
    assert told
    assert "secret" not in "".join(told)
