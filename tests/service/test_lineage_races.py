"""Clients of one database, each with connections of its own, that get into one another's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.doubles import SettableClock
from tracker.adapters.sql import migrations
from tracker.adapters.sql.database import Database
from tracker.adapters.system.ids import UuidV7Generator
from tracker.domain.errors import LineageCycle
from tracker.domain.experiments.lineage import is_acyclic
from tracker.domain.experiments.service import ExperimentService
from tracker.domain.identity.actor import LOCAL_USER, Actor
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.projects.service import ProjectService

pytestmark = pytest.mark.slow  # many open one file at once

ACTOR = Actor(user_id=LOCAL_USER, is_superuser=True)
CLIENTS = 3


async def _nothing(*_: object) -> None: ...


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        found: str = request.getfixturevalue("postgres_url")
        return found
    file = f"sqlite:///{tmp_path / 'tracker.db'}"
    migrations.upgrade(file)
    return file


@pytest.fixture
async def databases(url: str) -> AsyncIterator[Sequence[Database]]:
    opened = [Database(url) for _ in range(CLIENTS)]
    yield opened
    for database in opened:
        await database.dispose()


@pytest.fixture
def clients(databases: Sequence[Database]) -> list[ExperimentService]:
    return [
        ExperimentService(database.units, SettableClock(), UuidV7Generator(), _nothing, _nothing)
        for database in databases
    ]


@pytest.fixture
async def project(databases: Sequence[Database]) -> ProjectId:
    projects = ProjectService(databases[0].units, SettableClock(), UuidV7Generator(), _nothing)
    return (await projects.create(ACTOR, name="digits")).id


async def created(client: ExperimentService, project: ProjectId, count: int) -> list[ExperimentId]:
    drafts = [{"name": f"{number}_run"} for number in range(1, count + 1)]
    return [each.id for each in await client.create_many(ACTOR, project, drafts)]


@pytest.mark.parametrize("kind", ["parent_id", "merged_from"])
async def test_of_edits_that_together_make_a_cycle_one_is_refused(
    clients: list[ExperimentService], project: ProjectId, kind: str
) -> None:
    for size in (2, 3, 8):
        ring = await created(clients[0], project, size)
        answers = await asyncio.gather(
            *(
                clients[place % CLIENTS].edit(
                    ACTOR, key, **{kind: ring[place - 1] if kind == "parent_id" else (ring[place - 1],)}
                )
                for place, key in enumerate(ring)
            ),
            return_exceptions=True,
        )
        refused = [answer for answer in answers if isinstance(answer, BaseException)]
        assert [type(each) for each in refused] == [LineageCycle]
        assert is_acyclic((await clients[0].graph(ACTOR, project)).parents)


async def test_edits_of_both_kinds_by_many_leave_no_cycle(
    clients: list[ExperimentService], project: ProjectId
) -> None:
    keys = await created(clients[0], project, 6)
    edits = [
        client.edit(ACTOR, child, **change)
        for place, child in enumerate(keys)
        for client in clients
        for change in ({"parent_id": keys[place - 1]}, {"merged_from": (keys[place - 2], keys[place - 3])})
    ]
    answers = await asyncio.gather(*edits, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    assert refused
    assert {type(each).__name__ for each in refused} <= {"LineageCycle", "Invalid"}
    assert is_acyclic((await clients[0].graph(ACTOR, project)).parents)


async def test_who_waited_for_another_s_edit_does_not_put_back_the_parents_of_before(
    databases: Sequence[Database], clients: list[ExperimentService], project: ProjectId
) -> None:
    child, other = await created(clients[0], project, 2)
    async with databases[0].units.writing() as unit:
        run, _ = await unit.experiments.with_scope(child)
        await unit.experiments.save(run.evolve(merged_from=(other,)))
        waiting = asyncio.create_task(clients[1].edit(ACTOR, child, progress=50.0))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await unit.commit()
    await waiting
    found = await clients[0].get(ACTOR, child)
    assert (found.merged_from, found.progress, found.version) == ((other,), 50.0, 2)


async def test_who_edits_a_parent_and_who_adds_a_child_do_not_wait_for_each_other_forever(
    clients: list[ExperimentService], project: ProjectId
) -> None:
    keys = await created(clients[0], project, 3)
    calls = [
        call
        for n in range(12)
        for call in (
            clients[n % CLIENTS].create(ACTOR, project, name="child", parent_id=keys[n % 3]),
            clients[(n + 1) % CLIENTS].edit(ACTOR, keys[n % 3], progress=float(n)),
            clients[(n + 2) % CLIENTS].edit(ACTOR, keys[n % 3], merged_from=()),
        )
    ]
    await asyncio.gather(*calls)
    assert len(await clients[0].list(ACTOR, project)) == 15


async def test_a_number_is_given_once(clients: list[ExperimentService], project: ProjectId) -> None:
    bulk = [{"name": "{num}_bulk"} for _ in range(4)]
    await asyncio.gather(
        *(clients[n % CLIENTS].create(ACTOR, project, name="{num}_run") for n in range(8)),
        *(clients[n % CLIENTS].create_many(ACTOR, project, bulk) for n in range(4)),
    )
    names = [member.name for member in (await clients[0].graph(ACTOR, project)).members]
    assert sorted(int(name.partition("_")[0]) for name in names) == list(range(1, 25))


async def test_the_order_stays_one_whoever_moves_and_adds(
    clients: list[ExperimentService], project: ProjectId
) -> None:
    keys = await created(clients[0], project, 10)
    await asyncio.gather(
        *(
            call
            for n in range(6)
            for call in (
                clients[n % CLIENTS].reorder(ACTOR, project, [keys[n], keys[n - 3]]),
                clients[(n + 1) % CLIENTS].create(ACTOR, project, name=f"late {n}"),
            )
        )
    )
    members = (await clients[0].graph(ACTOR, project)).members
    assert [member.position for member in members] == list(range(16))
