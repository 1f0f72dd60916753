"""Every route of the table, asked by everybody: the real application answers what the pure policy says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from dependency_injector import providers

from entrypoints.http.app import create_app
from entrypoints.http.routes import ROUTES, Route, Scope
from tests.factories import a_file, new_id
from tests.service.route_requests import (
    EVALUATION_REQUESTS,
    UNREADY,
    Request,
    add_evaluation,
    body,
    both,
    nothing,
    query,
)
from tracker.adapters.memory import MemoryUnitsOfWork
from tracker.adapters.memory.blobs import MemoryBlobStore
from tracker.adapters.memory.scalars import MemoryScalarStore
from tracker.container import Container, build
from tracker.domain.artifacts.digest import digest_of
from tracker.domain.identity.accounts.user import User
from tracker.domain.identity.actions import Action, covered
from tracker.domain.identity.actor import Actor, local_actor
from tracker.domain.identity.permissions.grant import Effect, Grant
from tracker.domain.identity.permissions.service import Place
from tracker.domain.identity.policy import ProjectScope, TeamScope, in_scopes, may
from tracker.domain.identity.roles import Role
from tracker.domain.ids import ArtifactId, ExperimentId, GrantId, ProjectId, SavedQueryId, TeamId
from tracker.scalars_wire import MSGPACK, pack
from tracker.settings import Settings

ROOT = local_actor("shell")
CALLERS = (
    "stranger", "no relation", "viewer", "member", "admin", "owner", "superuser", "explicit allow",
    "explicit deny", "expired grant", "revoked token", "token without the scope",
    "token with exactly the scope",
)  # fmt: skip


@dataclass
class World:
    """A team with a project in it, and everybody who may ask about them; all ids by name."""

    container: Container
    http: httpx.AsyncClient
    ids: dict[str, UUID]
    users: dict[str, User]
    tokens: dict[str, str | None] = field(default_factory=dict)

    @property
    def project(self) -> ProjectScope:
        return ProjectScope(
            project_id=ProjectId(self.ids["project"]),
            owner_id=self.users["owner"].id,
            team_id=TeamId(self.ids["team"]),
        )

    @property
    def team(self) -> TeamScope:
        return TeamScope(team_id=TeamId(self.ids["team"]))

    def id(self, name: str) -> str:
        return str(self.ids[name])

    async def actor(self, token: str) -> Actor:
        return (await self.container.callers().identify(token, address="")).actor

    async def ask(self, route: Route, token: str | None, request: Request) -> httpx.Response:
        path = route.path.format(**request.get("path", {}))
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        headers |= request.get("headers", {})
        more = {key: request[key] for key in ("json", "params", "data", "content", "files") if key in request}
        return await self.http.request(route.method, path, headers=headers, **more)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    container = build(Settings(data=tmp_path, database_url="sqlite:///:memory:", auth="required"))
    units = MemoryUnitsOfWork()
    container.units.override(providers.Object(units))
    container.scalar_store.override(providers.Object(MemoryScalarStore()))
    container.blob_store.override(providers.Object(MemoryBlobStore()))
    container.signing_keys().ensure(container.clock().now())
    transport = httpx.ASGITransport(create_app(container))
    async with httpx.AsyncClient(transport=transport, base_url="http://tracker.example") as http:
        yield await furnished(container, http)


async def furnished(container: Container, http: httpx.AsyncClient) -> World:
    names = (
        "owner",
        "admin",
        "member",
        "viewer",
        "superuser",
        "another superuser",
        "no relation",
        "other",
        "fresh",
    )
    users = {
        name: await container.accounts().create(
            ROOT, f"{name.replace(' ', '_')}@example.org", None, is_superuser="superuser" in name
        )
        for name in names
    }
    owner = Actor(user_id=users["owner"].id)
    team = await container.teams().create(owner, "Research")
    for name in ("admin", "member", "viewer", "other"):
        role = Role.VIEWER if name == "other" else Role(name)
        await container.teams().add_member(ROOT, team.id, role, user_id=users[name].id)
    world = World(container, http, {"team": team.id, "key": new_id()}, users)
    owner = await world.actor(await session(world, "owner"))
    project = await container.projects().create(owner, name="digits", team_id=team.id)
    run = await container.experiments().create(ROOT, project.id, name="1_baseline")
    await container.permissions().share(ROOT, project.id, users["other"].id, Role.VIEWER)
    grant = await container.permissions().grant(
        ROOT, users["other"].id, Action.METRICS_CREATE, Place(project_id=project.id)
    )
    kept = await container.search().save_query(ROOT, project.id, name="kept")
    await add_files(world, run.id)
    world.ids |= {"query": kept.id, "project": project.id, "experiment": run.id, "grant": grant.id}
    await add_hypothesis(world)
    await add_evaluation(world, Actor(user_id=users["superuser"].id, is_superuser=True))
    world.ids |= {name: user.id for name, user in users.items()}
    return world


CONTENT = b"print()"


async def add_files(world: World, run: ExperimentId) -> None:
    """An artifact and a snapshot of the experiment, of one blob."""

    async def chunks() -> AsyncIterator[bytes]:
        yield CONTENT

    digest, size = digest_of(CONTENT), len(CONTENT)
    await world.container.blobs().upload(ROOT, digest, chunks())
    artifact = await world.container.artifacts().put(ROOT, run, "train.py", digest=digest, size=size)
    snapshot = await world.container.snapshots().take(ROOT, run, [a_file("train.py", CONTENT)])
    world.ids |= {"artifact": artifact.id, "snapshot": snapshot.id}


async def add_hypothesis(world: World) -> None:
    """One that links the experiment, and the query that finds it."""
    made = await world.container.hypotheses().create(
        ROOT, ProjectId(world.ids["project"]), title="wider is better",
        experiments=(ExperimentId(world.ids["experiment"]),), queries=(SavedQueryId(world.ids["query"]),),
    )  # fmt: skip
    world.ids["hypothesis"] = made.id


async def session(world: World, name: str) -> str:
    return await world.container.sessions().open(world.users[name], address="", how="test")


async def pat(world: World, name: str, scopes: frozenset[Action]) -> tuple[UUID, str]:
    actor = Actor(user_id=world.users[name].id)
    token, plain = await world.container.api_tokens().create(actor, "t", scopes=scopes)
    return token.id, plain


async def put_grants(world: World, name: str, action: Action, effect: Effect, *, expired: bool) -> None:
    now = world.container.clock().now()
    async with world.container.units().writing() as unit:
        for place in ({"project_id": world.project.project_id}, {"team_id": world.team.team_id}):
            await unit.grants.put(
                Grant(
                    id=GrantId(new_id()), user_id=world.users[name].id, action=action, effect=effect,
                    until=now - timedelta(seconds=1) if expired else None, created_at=now, **place,
                )
            )  # fmt: skip
        await unit.commit()


async def token_of(world: World, caller: str, route: Route) -> str | None:
    """What this caller shows at this route."""
    action = route.action or Action.PROJECT_VIEW
    match caller:
        case "stranger":
            return None
        case "explicit allow" | "expired grant":
            await put_grants(world, "no relation", action, Effect.ALLOW, expired=caller == "expired grant")
            return await session(world, "no relation")
        case "explicit deny":
            await put_grants(world, "admin", action, Effect.DENY, expired=False)
            return await session(world, "admin")
        case "revoked token":
            token_id, plain = await pat(world, "owner", frozenset(Action))
            await world.container.api_tokens().revoke(Actor(user_id=world.users["owner"].id), token_id)  # type: ignore[arg-type]
            return plain
        case "token without the scope":
            return (await pat(world, "owner", frozenset(Action) - covered(action)))[1]
        case "token with exactly the scope":
            return (await pat(world, "owner", frozenset({action})))[1]
        case _:
            return await session(world, caller)


def on_project(world: World) -> Request:
    return {"path": {"project_id": world.id("project")}}


def on_experiment(world: World, **more: Any) -> Request:
    return {"path": {"experiment_id": world.id("experiment")}, **more}


def on_artifact(world: World) -> Request:
    return {"path": {"artifact_id": world.id("artifact")}}


def on_snapshot(world: World) -> Request:
    return {"path": {"snapshot_id": world.id("snapshot")}}


def on_blob(world: World) -> Request:
    """That of the artifact that is there; of one that is not, a blob that is not."""
    is_there = ArtifactId(world.ids["artifact"]) in world.container.units()._committed.state.artifacts
    return {"params": {"hash": digest_of(CONTENT) if is_there else "0" * 64}}


def on_query(world: World, **more: Any) -> Request:
    return {"path": {"query_id": world.id("query")}, **more}


def on_hypothesis(world: World) -> Request:
    names = ("hypothesis", "experiment", "query")
    return {"path": {f"{name}_id": world.id(name) for name in names}}


def on_team(world: World, **more: Any) -> Request:
    return {"path": {"team_id": world.id("team")}, **more}


def on_token(world: World, **more: Any) -> Request:
    return {"path": {"token_id": world.id("key")}, **more}


def on_user(world: World, **more: Any) -> Request:
    return {"path": {"user_id": world.id("fresh")}, **more}


def packed(value: Any) -> Callable[[World], Request]:
    """A body in msgpack."""
    return lambda world: {"content": pack(value), "headers": {"Content-Type": MSGPACK}}


COLUMNS = {"names": ["loss"], "step": ["i1", b"\1"], "value": ["f8", bytes(8)]}
STEP = {"scalars": {"loss": 0.5}, "step": 1}
EMAIL, WORD = "new@example.org", "a password of theirs"
REQUESTS: dict[tuple[str, str], Callable[[World], Request]] = {
    ("GET", "/"): nothing,
    ("GET", "/api/health"): nothing,
    ("GET", "/api/health/ready"): nothing,
    ("GET", "/api/openapi.json"): nothing,
    ("GET", "/api/docs"): nothing,
    ("GET", "/api/projects"): nothing,
    ("POST", "/api/projects"): body(name="p"),
    ("GET", "/api/projects/{project_id}"): on_project,
    ("PATCH", "/api/projects/{project_id}"): both(on_project, body(name="p")),
    ("DELETE", "/api/projects/{project_id}"): on_project,
    ("GET", "/api/projects/{project_id}/experiments"): on_project,
    ("GET", "/api/projects/{project_id}/graph"): on_project,
    ("GET", "/api/projects/{project_id}/names/check"): both(on_project, query(name="2_from_1_x")),
    ("GET", "/api/projects/{project_id}/hypotheses"): on_project,
    ("GET", "/api/projects/{project_id}/metrics"): on_project,
    ("POST", "/api/blobs/check"): lambda world: {"json": ["0" * 64]},
    ("POST", "/api/blobs/upload"): lambda world: {
        "params": {"hash": digest_of(b"new")},
        "files": {"file": ("file", b"new")},
    },
    ("POST", "/api/blobs/bulk"): packed([(digest_of(b"new"), b"new")]),
    ("GET", "/api/blobs/content"): on_blob,
    ("GET", "/api/experiments/{experiment_id}/artifacts"): on_experiment,
    ("POST", "/api/experiments/{experiment_id}/artifacts"): both(
        on_experiment, body(name="train.py", hash=digest_of(CONTENT), size=len(CONTENT))
    ),
    ("GET", "/api/artifacts/{artifact_id}"): on_artifact,
    ("GET", "/api/artifacts/{artifact_id}/content"): on_artifact,
    ("POST", "/api/snapshots"): body(experiment_id="$experiment", files=[]),
    ("GET", "/api/experiments/{experiment_id}/snapshots"): on_experiment,
    ("GET", "/api/snapshots/{snapshot_id}"): on_snapshot,
    ("GET", "/api/snapshots/{snapshot_id}/download"): on_snapshot,
    ("GET", "/api/experiments/search"): query(projectId="$project"),
    ("GET", "/api/projects/{project_id}/fields"): on_project,
    ("GET", "/api/experiments/compare"): query(ids=["$experiment"]),
    ("GET", "/api/experiments/compare/budget"): query(ids=["$experiment"], name="loss"),
    ("GET", "/api/projects/{project_id}/table"): on_project,
    ("GET", "/api/projects/{project_id}/pareto"): both(on_project, query(metric=["acc", "loss"])),
    ("GET", "/api/projects/{project_id}/importance"): both(on_project, query(metric="acc")),
    ("GET", "/api/projects/{project_id}/queries"): on_project,
    ("POST", "/api/projects/{project_id}/queries"): both(on_project, body(name="q")),
    ("PATCH", "/api/queries/{query_id}"): both(on_query, body(name="q")),
    ("DELETE", "/api/queries/{query_id}"): on_query,
    ("GET", "/api/dashboard/project/{project_id}/stats"): on_project,
    ("POST", "/api/experiments"): body(projectId="$project", name="a"),
    ("POST", "/api/experiments/bulk"): body(projectId="$project", experiments=[{"name": "a"}]),
    ("GET", "/api/experiments/recent"): query(projectId="$project"),
    ("POST", "/api/experiments/reorder"): body(projectId="$project", experimentIds=[]),
    ("GET", "/api/experiments/{experiment_id}"): on_experiment,
    ("PATCH", "/api/experiments/{experiment_id}"): both(on_experiment, body(name="a")),
    ("POST", "/api/experiments/{experiment_id}/heartbeat"): on_experiment,
    ("POST", "/api/experiments/{experiment_id}/resume"): both(on_experiment, body()),
    ("GET", "/api/experiments/{experiment_id}/branches"): on_experiment,
    ("DELETE", "/api/experiments/{experiment_id}"): on_experiment,
    ("GET", "/api/experiments/{experiment_id}/metrics"): on_experiment,
    ("POST", "/api/metrics"): body(experimentId="$experiment", name="acc", value=1.0),
    ("POST", "/api/scalars/log/{experiment_id}"): both(on_experiment, body(**STEP)),
    ("POST", "/api/scalars/log_batch/{experiment_id}"): both(on_experiment, body(scalars=[STEP])),
    ("POST", "/api/scalars/columns/{experiment_id}"): both(on_experiment, packed(COLUMNS)),
    ("GET", "/api/scalars/get/{experiment_id}"): on_experiment,
    ("GET", "/api/scalars/get/project/{project_id}"): on_project,
    ("GET", "/api/scalars/summary/{project_id}"): on_project,
    ("GET", "/api/scalars/top/{project_id}"): both(on_project, query(name="loss")),
    ("POST", "/api/scalars/last_logged/{project_id}"): both(on_project, body()),
    ("POST", "/api/hypotheses"): body(projectId="$project", title="a", targetMetrics=["acc"]),
    ("GET", "/api/hypotheses/recent"): query(projectId="$project"),
    ("GET", "/api/hypotheses/{hypothesis_id}"): on_hypothesis,
    ("PATCH", "/api/hypotheses/{hypothesis_id}"): both(on_hypothesis, body(title="b")),
    ("DELETE", "/api/hypotheses/{hypothesis_id}"): on_hypothesis,
    ("GET", "/api/hypotheses/{hypothesis_id}/evidence"): on_hypothesis,
    ("POST", "/api/hypotheses/{hypothesis_id}/experiments"): both(
        on_hypothesis, body(experimentId="$experiment")
    ),
    ("DELETE", "/api/hypotheses/{hypothesis_id}/experiments/{experiment_id}"): on_hypothesis,
    ("POST", "/api/hypotheses/{hypothesis_id}/queries"): both(on_hypothesis, body(queryId="$query")),
    ("DELETE", "/api/hypotheses/{hypothesis_id}/queries/{query_id}"): on_hypothesis,
    ("POST", "/api/hypotheses/{hypothesis_id}/decisions"): both(
        on_hypothesis, body(status="refuted", reason="seen by eye")
    ),
    ("GET", "/api/hypotheses/{hypothesis_id}/decisions"): on_hypothesis,
    ("POST", "/api/auth/register"): body(email=EMAIL, password="short"),
    ("POST", "/api/auth/jwt/login"): lambda world: {"data": {"username": ""}},
    ("POST", "/api/auth/jwt/logout"): nothing,
    ("POST", "/api/auth/forgot-password"): body(email=EMAIL),
    ("POST", "/api/auth/reset-password"): body(token="x", password=WORD),
    ("POST", "/api/auth/setup"): body(code="x", email=EMAIL, password=WORD),
    ("GET", "/api/auth/oidc/login"): nothing,
    ("GET", "/api/auth/oidc/callback"): nothing,
    ("GET", "/api/users/me"): nothing,
    ("GET", "/api/users/me/profile"): nothing,
    ("PATCH", "/api/users/me"): body(displayName="x"),
    ("DELETE", "/api/users/me"): query(fate="delete"),
    ("GET", "/api/users"): nothing,
    ("POST", "/api/users"): body(email=EMAIL),
    ("GET", "/api/users/{user_id}"): on_user,
    ("PATCH", "/api/users/{user_id}"): both(on_user, body(displayName="x")),
    ("DELETE", "/api/users/{user_id}"): on_user,
    ("POST", "/api/api-tokens"): body(name="t", scopes=["project.view"]),
    ("GET", "/api/api-tokens"): nothing,
    ("PATCH", "/api/api-tokens/{token_id}"): both(on_token, body(name="x")),
    ("DELETE", "/api/api-tokens/{token_id}"): on_token,
    ("POST", "/api/teams"): body(name="t"),
    ("GET", "/api/teams"): nothing,
    ("GET", "/api/teams/{team_id}"): on_team,
    ("PATCH", "/api/teams"): body(id="$team", name="t"),
    ("DELETE", "/api/teams/{team_id}"): on_team,
    ("GET", "/api/teams/{team_id}/members"): on_team,
    ("POST", "/api/teams/members"): body(teamId="$team", userId="$fresh", role="viewer"),
    ("PATCH", "/api/teams/members"): body(teamId="$team", userId="$other", role="viewer"),
    ("DELETE", "/api/teams/members"): body(teamMemberId="$team", userId="$other"),
    ("POST", "/api/teams/{team_id}/transfer"): both(on_team, body(userId="$other")),
    ("GET", "/api/projects/{project_id}/members"): on_project,
    ("PATCH", "/api/projects/{project_id}/members"): both(on_project, body(userId="$fresh", role="viewer")),
    ("DELETE", "/api/projects/{project_id}/members"): both(on_project, body(userId="$other")),
    ("POST", "/api/projects/{project_id}/transfer"): both(on_project, body(userId="$fresh")),
    ("POST", "/api/permissions"): body(projectId="$project", userId="$fresh", action="project.view"),
    ("GET", "/api/permissions"): query(projectId="$project"),
    ("DELETE", "/api/permissions/{grant_id}"): lambda world: {"path": {"grant_id": world.id("grant")}},
    ("GET", "/api/permissions/explain"): query(project="$project", user="$me", action="project.edit"),
    ("GET", "/api/audit"): query(projectId="$project"),
    ("GET", "/api/audit/export"): query(teamId="$team"),
    ("GET", "/api/audit/verify"): nothing,
    **EVALUATION_REQUESTS,
}
"""A request that every route answers with 2xx to who may do it."""

LISTS = {("GET", "/api/projects"): "project", ("GET", "/api/teams"): "team"}
OPEN = (Scope.PUBLIC, Scope.LINK, Scope.DESK)
IN_PERSON = {("PATCH", "/api/users/me"), ("DELETE", "/api/users/me")}


def outranks_a_viewer(actor: Actor, world: World) -> bool:
    roles = [actor.access.teams.get(world.team.team_id), actor.access.projects.get(world.project.project_id)]
    held = [role for role in roles if role is not None]
    return actor.is_superuser or not held or any(role.outranks(Role.VIEWER) for role in held)


def gives_a_viewer_s_role(place: str) -> Callable[[Actor, World], bool]:
    def check(actor: Actor, world: World) -> bool:
        has_all = all(may(actor, action, getattr(world, place)) for action in Role.VIEWER.actions)
        return has_all and outranks_a_viewer(actor, world)

    return check


def owns_all(actor: Actor, world: World) -> bool:
    return is_owner(actor, world) and all(in_scopes(actor, action) for action in Action)


def is_owner(actor: Actor, world: World) -> bool:
    return actor.is_superuser or actor.user_id == world.users["owner"].id


def also_may(*actions: Action) -> Callable[[Actor, World], bool]:
    return lambda actor, world: all(may(actor, action, world.project) for action in actions)


sees_evidence = also_may(Action.METRICS_VIEW, Action.EXPERIMENTS_VIEW)

ALSO: dict[tuple[str, str], Callable[[Actor, World], bool]] = {
    ("GET", "/api/experiments/compare/budget"): also_may(Action.EXPERIMENTS_VIEW),
    ("GET", "/api/projects/{project_id}/pareto"): also_may(Action.EXPERIMENTS_VIEW),
    ("GET", "/api/projects/{project_id}/importance"): also_may(Action.EXPERIMENTS_VIEW),
    ("POST", "/api/hypotheses"): sees_evidence,
    ("GET", "/api/hypotheses/{hypothesis_id}/evidence"): sees_evidence,
    ("POST", "/api/hypotheses/{hypothesis_id}/experiments"): sees_evidence,
    ("POST", "/api/hypotheses/{hypothesis_id}/queries"): sees_evidence,
    ("DELETE", "/api/hypotheses/{hypothesis_id}/queries/{query_id}"): sees_evidence,
    ("DELETE", "/api/hypotheses/{hypothesis_id}/experiments/{experiment_id}"): sees_evidence,
    ("POST", "/api/teams/members"): gives_a_viewer_s_role("team"),
    ("PATCH", "/api/teams/members"): outranks_a_viewer,
    ("DELETE", "/api/teams/members"): outranks_a_viewer,
    ("POST", "/api/teams/{team_id}/transfer"): owns_all,
    ("PATCH", "/api/projects/{project_id}/members"): gives_a_viewer_s_role("project"),
    ("DELETE", "/api/projects/{project_id}/members"): outranks_a_viewer,
    ("POST", "/api/projects/{project_id}/transfer"): owns_all,
    ("POST", "/api/permissions"): lambda actor, world: may(actor, Action.PROJECT_VIEW, world.project),
    ("DELETE", "/api/permissions/{grant_id}"): outranks_a_viewer,
}
"""What must hold beside the action: ranks, and that nobody gives what they lack."""


def expected(route: Route, actor: Actor, world: World) -> int:
    """The status by the policy; 200 stands for any success."""
    key = (route.method, route.path)
    if route.action is not None and not in_scopes(actor, route.action):
        return 403
    if route.scope is Scope.ADMINISTRATOR:
        in_person = route.action is not None or actor.api_token_id is None
        return 200 if actor.is_superuser and in_person else 403
    if route.scope in (Scope.SIGNED_IN, Scope.SELF):
        return _of_oneself(key, actor)
    assert route.action is not None, "only routes of accounts and health have no action"
    if route.scope is Scope.INSTALLATION:
        return 200 if may(actor, route.action, None) else 403
    if key in LISTS:
        return 200
    place = world.team if route.scope is Scope.TEAM or "export" in route.path else world.project
    view = Action.TEAMS_VIEW if isinstance(place, TeamScope) else Action.PROJECT_VIEW
    allowed = is_owner(actor, world) if route.scope is Scope.OWNER else may(actor, route.action, place)
    if allowed and key in UNREADY:
        return UNREADY[key]
    if allowed:
        return 200 if ALSO.get(key, lambda *_: True)(actor, world) else 403
    if route.scope is Scope.BLOB and in_scopes(actor, route.action):
        return 404  # who may not see what refers to it does not know that it is there
    hidden = 400 if key == ("POST", "/api/v1/workflows/") else 404  # as its clients know it
    return 403 if may(actor.evolve(scopes=None), view, place) else hidden


def _of_oneself(key: tuple[str, str], actor: Actor) -> int:
    if key in IN_PERSON:
        return 200 if actor.api_token_id is None else 403
    if "secrets" in key[1]:
        needed = Action.EXPERIMENTS_VIEW if key[0] == "GET" else Action.EXPERIMENTS_CREATE
        return 200 if in_scopes(actor, needed) else 403
    if "api-tokens" in key[1] and key[0] != "GET":
        return 200 if actor.scopes is None or Action.PROJECT_VIEW in actor.scopes else 403
    return 200


def test_every_route_has_a_request_and_says_on_what_it_is_checked() -> None:
    assert set(REQUESTS) == {(route.method, route.path) for route in ROUTES}
    free = {Scope.PUBLIC, Scope.SIGNED_IN, Scope.SELF, Scope.ADMINISTRATOR, Scope.LINK, Scope.DESK}
    assert all(route.action is not None or route.scope in free for route in ROUTES)
    assert all(route.action is None for route in ROUTES if route.scope in free - {Scope.ADMINISTRATOR})


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("caller", CALLERS)
async def test_the_application_answers_what_the_policy_says(world: World, caller: str) -> None:
    units = world.container.units()
    pristine, wrong = units._committed.state.copy(), []
    ordered = sorted(ROUTES, key=lambda route: route.method == "DELETE")  # scalars do not come back
    for number, route in enumerate(ordered):
        units._committed.state = pristine.copy()
        # There are more routes than an address may try with tokens that do not hold.
        world.http._transport.client = (f"192.0.2.{number % 250}", 1)  # type: ignore[attr-defined]
        token = await token_of(world, caller, route)
        here = replace(world, ids=dict(world.ids))
        actor = None
        # Whoever is looked up without being asked for is remembered, beyond the end of this state.
        if token is not None and caller != "revoked token" and route.scope not in OPEN:
            actor = await world.actor(token)
            here.ids["me"] = actor.user_id
            owned = await world.container.api_tokens().create(
                Actor(user_id=actor.user_id), "own", scopes={Action.PROJECT_VIEW}
            )
            here.ids["key"] = owned[0].id
        else:
            here.ids["me"] = new_id()
        answer = await here.ask(route, token, REQUESTS[route.method, route.path](here))
        if route.scope is Scope.PUBLIC:
            right = answer.status_code not in (401, 403) or "oidc" in route.path
        elif actor is None and route.scope is Scope.LINK:
            right = answer.status_code == 200
        elif actor is None:
            right = answer.status_code == 401 and "WWW-Authenticate" in answer.headers
        else:
            wanted = expected(route, actor, here)
            right = (200 if answer.is_success else answer.status_code) == wanted
            right = right and _lists_what_is_seen(route, actor, here, answer)
        if not right:
            wrong.append((named(route), wanted if actor else 401, answer.status_code, answer.text[:100]))
    assert wrong == []


def _lists_what_is_seen(route: Route, actor: Actor, world: World, answer: httpx.Response) -> bool:
    name = LISTS.get((route.method, route.path))
    if name is None or not answer.is_success:
        return True
    place = world.team if name == "team" else world.project
    seen = world.id(name) in [each["id"] for each in answer.json()]
    return route.action is not None and seen == may(actor, route.action, place)


HIDDEN = (
    "dataset", "job", "evaluation", "workflow", "other_workflow",
    "project", "experiment", "artifact", "snapshot", "hypothesis", "query", "team", "grant", "key",
)  # fmt: skip
IN_A_PLACE = (
    Scope.PROJECT, Scope.EXPERIMENT, Scope.ARTIFACT, Scope.SNAPSHOT, Scope.BLOB, Scope.QUERY,
    Scope.HYPOTHESIS, Scope.TEAM, Scope.PLACE, Scope.OWNER, Scope.DATASET, Scope.JOB, Scope.EVALUATION,
    Scope.WORKFLOW,
)  # fmt: skip
NAMING = [
    route for route in ROUTES if route.scope in IN_A_PLACE and (route.method, route.path) not in LISTS
] + [route for route in ROUTES if "{token_id}" in route.path]


async def test_what_one_may_not_see_answers_exactly_like_what_does_not_exist(world: World) -> None:
    token = await session(world, "no relation")
    world.ids["me"] = world.users["no relation"].id
    world.ids["key"] = (await pat(world, "owner", frozenset({Action.PROJECT_VIEW})))[0]
    absent = replace(world, ids={**world.ids, **{name: new_id() for name in HIDDEN}})
    for route in NAMING:
        answers = [await _answered(there, route, token) for there in (world, absent)]
        hidden = 400 if named(route) == "POST /api/v1/workflows/" else 404  # as its clients know it
        assert answers[0] == answers[1] and answers[0][0] == hidden, named(route)


async def _answered(world: World, route: Route, token: str) -> tuple[int, str, dict[str, str]]:
    """What an answer says, with names for the ids that it repeats."""
    answer = await world.ask(route, token, REQUESTS[route.method, route.path](world))
    text = answer.text
    for name in HIDDEN:
        text = text.replace(world.id(name), name)
    text = text.replace(digest_of(CONTENT), "0" * 64)
    headers = {key: value for key, value in answer.headers.items() if key != "x-request-id"}
    return answer.status_code, text, headers | {"content-length": ""}


async def test_a_refusal_to_change_something_is_in_the_audit_log(world: World) -> None:
    project = world.id("project")
    answer = await world.http.patch(
        f"/api/projects/{project}",
        json={"name": "x"},
        headers={"Authorization": f"Bearer {await session(world, 'viewer')}"},
    )
    assert answer.status_code == 403
    for _ in range(50):
        entries = await world.container.audit().read(ROOT, limit=1000)
        if entries[-1].outcome == "refused":
            break
        await asyncio.sleep(0.01)
    assert (entries[-1].user_id, entries[-1].key) == (world.users["viewer"].id, f"/api/projects/{project}")
