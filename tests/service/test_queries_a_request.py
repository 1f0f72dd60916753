"""What it costs to know who asks: on a file nothing until somebody writes, and less when many ask at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from entrypoints.http.app import create_app
from tracker.container import Container, build, start, stop
from tracker.domain.identity.actions import ALL_ACTIONS
from tracker.domain.identity.actor import Actor, local_actor
from tracker.domain.identity.roles import Role
from tracker.domain.ids import ExperimentId, TeamId, UserId
from tracker.settings import Settings

ROOT = local_actor("test")


@dataclass
class Office:
    """A team's server over SQLite that counts its statements."""

    container: Container
    http: httpx.AsyncClient
    experiment: ExperimentId
    team: TeamId
    user: UserId
    shown: dict[str, str]
    statements: list[str] = field(default_factory=list)

    async def get(self, kind: str) -> int:
        headers = {"Authorization": f"Bearer {self.shown[kind]}"}
        return (await self.http.get(f"/api/experiments/{self.experiment}", headers=headers)).status_code


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    url = f"sqlite:///{tmp_path}/tracker.db"
    container = build(Settings(data=tmp_path, database_url=url, auth="required"))
    await start(container)
    container.signing_keys().ensure(container.clock().now())
    user = await container.accounts().create(ROOT, "ada@example.org", None)
    team = await container.teams().create(ROOT, "Research")
    await container.teams().add_member(ROOT, team.id, Role.VIEWER, user_id=user.id)
    project = await container.projects().create(ROOT, name="digits", team_id=team.id)
    run = await container.experiments().create(ROOT, project.id, name="1_baseline")
    session = await container.sessions().open(user, address="", how="test")
    _, token = await container.api_tokens().create(Actor(user_id=user.id), "ci", scopes=ALL_ACTIONS)
    transport = httpx.ASGITransport(create_app(container))
    async with httpx.AsyncClient(transport=transport, base_url="http://tracker.example") as http:
        made = Office(container, http, run.id, team.id, user.id, {"session": session, "token": token})
        sa.event.listen(
            container.database().engine.sync_engine,
            "before_cursor_execute",
            lambda *given: made.statements.append(given[2]),
        )
        yield made
    await stop(container)


@pytest.mark.parametrize("kind", ["session", "token"])
async def test_a_read_that_was_made_before_costs_no_query_until_somebody_writes(
    office: Office, kind: str
) -> None:
    assert await office.get(kind) == 200  # the first use of a token is noted, once a minute
    await asyncio.sleep(0.1)
    assert await office.get(kind) == 200
    office.statements.clear()
    assert await office.get(kind) == 200
    assert office.statements == []


@pytest.mark.parametrize("kind", ["session", "token"])
async def test_after_a_write_it_costs_one_small_query_and_two_if_somebody_stands_elsewhere(
    office: Office, kind: str
) -> None:
    for _ in range(2):
        await office.get(kind)
        await asyncio.sleep(0.1)
    await office.container.experiments().edit(ROOT, office.experiment, progress=50.0)
    office.statements.clear()
    assert await office.get(kind) == 200
    assert len(office.statements) == 2, office.statements
    await office.container.teams().edit(ROOT, office.team, name="Vision")
    office.statements.clear()
    assert await office.get(kind) == 200
    assert len(office.statements) == 3, office.statements


@pytest.mark.parametrize("kind", ["session", "token"])
async def test_another_process_that_takes_a_right_away_is_heeded_at_once(office: Office, kind: str) -> None:
    assert await office.get(kind) == 200
    other = build(office.container.config())
    await start(other)
    await other.teams().remove_member(ROOT, office.team, office.user)
    assert await office.get(kind) == 404
    await other.accounts().edit(ROOT, office.user, is_active=False)
    await stop(other)
    assert await office.get(kind) == 401


async def test_many_who_ask_at_once_share_queries(office: Office) -> None:
    await office.get("session")
    await office.container.experiments().edit(ROOT, office.experiment, progress=50.0)
    office.statements.clear()
    assert await asyncio.gather(*(office.get("session") for _ in range(50))) == [200] * 50
    assert len(office.statements) <= 20, len(office.statements)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/experiments/{}"), ("POST", "/api/scalars/log/{}")]
)
async def test_what_one_may_not_see_costs_as_many_queries_as_what_is_not_there(
    office: Office, method: str, path: str
) -> None:
    stranger = await office.container.accounts().create(ROOT, "eve@example.org", None)
    session = await office.container.sessions().open(stranger, address="", how="test")
    headers = {"Authorization": f"Bearer {session}"}
    log = {"scalars": {"loss": 1.0}, "step": 1}

    async def asked(key: object) -> list[int]:
        """How many statements each of three refusals takes, once it is known who asks."""
        found = []
        for percent in (10.0, 20.0, 30.0):
            await office.container.experiments().edit(ROOT, office.experiment, progress=percent)
            await office.get("session")  # who may see it has just looked at it
            await office.http.get("/api/users/me", headers=headers)
            office.statements.clear()
            answer = await office.http.request(
                method, path.format(key), json=log if method == "POST" else None, headers=headers
            )
            assert answer.status_code == 404
            found.append(len(office.statements))
        return found

    assert await asked(office.experiment) == await asked(uuid4())


async def test_a_text_that_is_no_token_costs_no_query(office: Office) -> None:
    for text in ("x", "pat_x", "a.b.c"):
        await office.container.experiments().edit(ROOT, office.experiment, progress=float(len(text)))
        office.statements.clear()
        answer = await office.http.get("/api/users/me", headers={"Authorization": f"Bearer {text}"})
        assert (answer.status_code, office.statements) == (401, [])
