"""Users, teams, permissions and audit through the library, in process and against a team's server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest

import tracker
from tests.e2e.conftest import PASSWORD, TeamServer, team_server  # noqa: F401  (a fixture)
from tests.factories import new_id
from tracker.areas.identity import Account
from tracker.credentials import Credentials
from tracker.domain.identity.permissions.grant import Effect
from tracker.domain.identity.policy import Reason
from tracker.remote_client import Client
from tracker.remote_identity import log_in, log_out

NOBODY = UUID(int=1)


@pytest.fixture(scope="module", params=["embedded", pytest.param("server", marks=pytest.mark.slow)])
def library(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tracker.Tracker]:
    """In the name of somebody who may do all."""
    if request.param == "embedded":
        where: dict[str, Any] = {"data": tmp_path_factory.mktemp("embedded")}
    else:
        live: TeamServer = request.getfixturevalue("team_server")
        where = {"url": live.url, "token": live.session}
    with tracker.open(**where) as opened:
        yield opened


@pytest.fixture
def person(library: tracker.Tracker) -> Callable[[], Account]:
    """Makes people who have no password, which takes no time."""
    return lambda: library.users.create(f"{new_id()}@example.org")


@pytest.fixture
def ann(person: Callable[[], Account]) -> Account:
    return person()


def test_a_user_is_made_found_changed_and_removed(library: tracker.Tracker) -> None:
    email = f"{new_id()}@example.org"
    made = library.users.create(email, display_name="Ann")
    assert (made.email, made.display_name, made.is_superuser, made.is_active) == (email, "Ann", False, True)
    assert library.users.get(made.id) == library.users.find(email.upper()) == made
    assert made in library.users.list()
    changed = library.users.edit(str(made.id), is_active=False, display_name="A.")
    assert (changed.is_active, changed.display_name) == (False, "A.")
    library.users.delete(made.id)
    assert library.users.find(email) is None


def test_an_administrator_is_made_and_the_last_one_stays(tmp_path: Path) -> None:
    with tracker.open(tmp_path) as library:
        root = library.users.create("root@example.org", is_superuser=True)
        assert root.is_superuser
        for attempt in (
            lambda: library.users.edit(root.id, is_superuser=False),
            lambda: library.users.delete(root.id),
        ):
            with pytest.raises(tracker.Conflict, match="last administrator"):
                attempt()


def test_a_user_who_owns_something_goes_only_with_a_decision(library: tracker.Tracker, person: Any) -> None:
    ann, heir = person(), person()
    project = library.projects.create(f"project {new_id()}")
    assert library.projects.transfer(project.id, ann.id).owner_id == ann.id
    with pytest.raises(tracker.Conflict, match="owns 1 projects"):
        library.users.delete(ann.id)
    library.users.delete(ann.id, transfer_to=heir.id)
    assert library.projects.get(project.id).owner_id == heir.id
    library.users.delete(heir.id, delete_everything=True)
    with pytest.raises(tracker.NotFound):
        library.projects.get(project.id)


def test_a_team_is_made_changed_and_removed(library: tracker.Tracker) -> None:
    name = f"team {new_id()}"
    team = library.teams.create(name, description="vision")
    assert library.teams.get(team.id) == library.teams.find(name) == team
    assert library.teams.edit(team.id, description="").name == name
    assert library.teams.edit(team.id, name=f"{name}!").description == ""
    assert [member.role for member in library.teams.members(team.id)] == ["owner"]
    library.teams.delete(team.id)
    assert team.id not in {each.id for each in library.teams.list()}


def test_members_come_by_email_or_id_change_inherit_and_go(library: tracker.Tracker, person: Any) -> None:
    ann, ben = person(), person()
    team = library.teams.create(f"team {new_id()}")
    assert library.teams.add(team.id, "member", email=ann.email).user_id == ann.id
    assert library.teams.add(team.id, tracker.Role.VIEWER, user_id=ben.id).email == ben.email
    assert library.teams.change(team.id, ben.id, "admin").role is tracker.Role.ADMIN
    roles = {member.user_id: member.role for member in library.teams.transfer(team.id, ann.id)}
    assert (roles[ann.id], roles[ben.id]) == ("owner", "admin")
    library.teams.remove(team.id, ben.id)
    assert ben.id not in {member.user_id for member in library.teams.members(team.id)}


def test_a_project_moves_into_a_team_and_out_of_it(library: tracker.Tracker) -> None:
    team = library.teams.create(f"team {new_id()}")
    made = library.projects.create(f"project {new_id()}", team_id=str(team.id))
    assert made.team_id == team.id
    assert library.projects.edit(made.id, team_id=None).team_id is None
    assert library.projects.edit(made.id, team_id=team.id).team_id == team.id


def test_a_project_is_shared_and_no_longer(library: tracker.Tracker, ann: Account) -> None:
    project = library.projects.create(f"project {new_id()}")
    assert library.permissions.share(project.id, ann.id, "viewer").role is tracker.Role.VIEWER
    member = library.permissions.share(project.id, ann.id, "member")
    (shown,) = library.permissions.members(project.id)
    assert (shown.email, shown.role) == (member.email, member.role) == (ann.email, "member")
    library.permissions.unshare(project.id, ann.id)
    assert library.permissions.members(project.id) == ()


def test_grants_are_listed_explained_and_withdrawn(library: tracker.Tracker, ann: Account) -> None:
    project = library.projects.create(f"project {new_id()}")
    ask = lambda: library.permissions.explain(ann.id, "scalars.log", project_id=project.id)  # noqa: E731
    assert (ask().allowed, ask().reason) == (False, Reason.NOTHING_ALLOWS)
    granted = library.permissions.grant(ann.id, "scalars.log", project_id=project.id)
    assert (ask().allowed, ask().reason) == (True, Reason.ALLOWED_ON_PROJECT)
    until = datetime.now(UTC) + timedelta(days=1)
    denied = library.permissions.deny(ann.id, "scalars.log", project_id=project.id, until=until)
    assert (ask().allowed, ask().reason) == (False, Reason.DENIED_ON_PROJECT)
    assert "denied explicitly" in ask().why
    assert (denied.effect, denied.until) == (Effect.DENY, until)
    assert set(library.permissions.list(project_id=project.id)) == {granted, denied}
    library.permissions.withdraw(denied.id)
    library.permissions.share(project.id, ann.id, "member")
    library.permissions.withdraw(granted.id)
    assert (ask().reason, ask().role) == (Reason.ROLE_ON_PROJECT, "member")


def test_a_grant_that_has_run_out_explains_nothing(library: tracker.Tracker, ann: Account) -> None:
    team = library.teams.create(f"team {new_id()}")
    until = datetime.now(UTC) + timedelta(seconds=0.3)
    library.permissions.grant(ann.id, "teams.view", team_id=team.id, until=until)
    while datetime.now(UTC) <= until:
        time.sleep(0.05)
    assert not library.permissions.explain(ann.id, "teams.view", team_id=team.id).allowed
    assert len(library.permissions.list(team_id=team.id)) == 1


def test_the_audit_log_is_read_page_by_page_and_verified(library: tracker.Tracker) -> None:
    project = library.projects.create(f"project {new_id()}")
    library.projects.edit(project.id, description="why")
    entries = library.audit.list(project_id=project.id)
    assert [entry.what for entry in entries] == ["project.create", "project.edit"]
    assert library.audit.list(project_id=project.id, after=entries[0].number, limit=1) == entries[1:]
    report = library.audit.verify()
    assert (report.problems, report.head.partition(":")[0]) == ((), str(report.entries))
    assert library.audit.verify(report.head).problems == ()
    assert len(library.audit.verify(f"{report.entries}:{'00' * 32}").problems) == 1


@pytest.mark.parametrize(
    ("error", "attempt"),
    [
        (tracker.AlreadyRegistered, lambda lib, ann, team: lib.users.create(ann.email)),
        (tracker.Invalid, lambda lib, ann, team: lib.users.create("no address")),
        (tracker.Invalid, lambda lib, ann, team: lib.users.create(f"{new_id()}@example.org", "short")),
        (tracker.Invalid, lambda lib, ann, team: lib.users.edit(ann.id, email="a@example.org")),
        (tracker.NotFound, lambda lib, ann, team: lib.users.get(NOBODY)),
        (tracker.NotFound, lambda lib, ann, team: lib.users.delete(NOBODY)),
        (tracker.Invalid, lambda lib, ann, team: lib.users.get("ann")),
        (tracker.NotFound, lambda lib, ann, team: lib.teams.add(team.id, "member", email="n@example.org")),
        (tracker.Invalid, lambda lib, ann, team: lib.teams.add(team.id, "king", user_id=ann.id)),
        (tracker.Conflict, lambda lib, ann, team: lib.teams.add(team.id, "owner", user_id=ann.id)),
        (tracker.NotFound, lambda lib, ann, team: lib.teams.change(team.id, ann.id, "viewer")),
        (tracker.Invalid, lambda lib, ann, team: lib.teams.create("x" * 101)),
        (tracker.Invalid, lambda lib, ann, team: lib.projects.create("p", team_id=NOBODY)),
        (tracker.Invalid, lambda lib, ann, team: lib.permissions.grant(ann.id, "fly", team_id=team.id)),
        (tracker.Invalid, lambda lib, ann, team: lib.permissions.grant(ann.id, "teams.view")),
        (tracker.NotFound, lambda lib, ann, team: lib.permissions.list(project_id=NOBODY)),
        (tracker.NotFound, lambda lib, ann, team: lib.permissions.withdraw(NOBODY)),
        (tracker.Invalid, lambda lib, ann, team: lib.tokens.create("t", scopes=["fly"])),
        (tracker.Invalid, lambda lib, ann, team: lib.audit.verify("nonsense")),
        (tracker.Invalid, lambda lib, ann, team: lib.audit.list(limit=1001)),
    ],
)
def test_errors_are_the_same_on_both_sides(
    library: tracker.Tracker, ann: Account, error: type[Exception], attempt: Callable[..., object]
) -> None:
    team = library.teams.create(f"team {new_id()}")
    with pytest.raises(error) as caught:
        attempt(library, ann, team)
    assert type(caught.value) is error


def test_nothing_that_proves_who_somebody_is_leaves_the_library(library: tracker.Tracker) -> None:
    made = library.users.create(f"{new_id()}@example.org", PASSWORD)
    told = json.dumps([repr(each) for each in (made, library.users.me(), *library.users.list())])
    assert "argon2" not in told and "password" not in told and PASSWORD not in told


def test_the_owner_of_a_folder_is_told_that_they_need_no_token(tmp_path: Path) -> None:
    with tracker.open(tmp_path) as library:
        assert library.tokens.list() == ()
        with pytest.raises(tracker.Forbidden, match="needs no token"):
            library.tokens.create("t", scopes=["*"])


def test_a_token_is_shown_once_limited_changed_and_revoked(team_server: TeamServer) -> None:  # noqa: F811
    with tracker.open(url=team_server.url, token=team_server.session) as library:
        made = library.tokens.create("ci", scopes=["project.view", "projects.create"], expires_in_days=1)
        assert made.token.startswith("pat_") and made.token not in repr(made)
        (kept,) = [token for token in library.tokens.list() if token.id == made.id]
        assert kept.scopes == {"project.view", "projects.create"} and not kept.revoked
        assert kept.expires_at == kept.created_at + timedelta(days=1)
        with tracker.open(url=team_server.url, token=made.token) as limited:
            project = limited.projects.create(f"project {new_id()}")
            with pytest.raises(tracker.Forbidden, match=r"experiments\.create"):
                limited.experiments.create(project.id, name="a")
            with pytest.raises(tracker.Forbidden, match="tracker login URL --session"):
                limited.users.list()
            edited = library.tokens.edit(made.id, scopes=["project.*"], name="ci 2", expires_in_days=None)
            assert (edited.name, edited.expires_at, len(edited.scopes)) == ("ci 2", None, 3)
            library.tokens.revoke(made.id)
            with pytest.raises(tracker.Unauthenticated):
                limited.projects.list()


async def test_a_login_gives_a_session_that_a_logout_ends(team_server: TeamServer) -> None:  # noqa: F811
    session = await log_in(team_server.url, team_server.admin, PASSWORD)
    async with tracker.aopen(url=team_server.url, token=session) as library:
        assert (await library.users.me()).email == team_server.admin
        await log_out(team_server.url, session)
        with pytest.raises(tracker.Unauthenticated):
            await library.users.me()
    with pytest.raises(tracker.BadCredentials):
        await log_in(team_server.url, team_server.admin, "wrong horse")


async def test_who_tries_too_often_is_told_when_to_come_back(team_server: TeamServer) -> None:  # noqa: F811
    client = Client(team_server.url, None)
    with pytest.raises(tracker.TooManyRequests) as caught:
        for _ in range(6):
            await client.post("/auth/forgot-password", {"email": "flooded@example.org"})
    await client.aclose()
    assert caught.value.retry_after > 1


def test_the_kept_token_is_shown_unless_the_environment_has_one(
    team_server: TeamServer,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("TRACKER_TOKEN", raising=False)
    Credentials(tmp_path / "tracker" / "credentials.json").keep(team_server.url, team_server.session)
    name = f"project {new_id()}"
    tracker.init(name, url=f"{team_server.url}/").finish()
    with tracker.open(url=team_server.url) as library:
        assert library.users.me().email == team_server.admin
        assert library.projects.find(name) is not None
    monkeypatch.setenv("TRACKER_TOKEN", "pat_nonsense")
    with tracker.open(url=team_server.url) as library, pytest.raises(tracker.Unauthenticated):
        library.users.me()


class Elsewhere(BaseHTTPRequestHandler):
    """Sends everybody to another host, and notes what it is shown there."""

    target = ""
    seen: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization")))
        self.send_response(302)
        self.send_header("Location", self.target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None: ...


def test_a_redirect_to_another_host_never_gets_the_token() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as relay:
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        Elsewhere.target = f"http://localhost:{relay.server_port}/elsewhere"
        url = f"http://127.0.0.1:{relay.server_port}"
        with (
            tracker.open(url=url, token="pat_secret") as library,
            pytest.raises(tracker.Unavailable, match="/elsewhere; give that address"),
        ):
            library.projects.list()
        relay.shutdown()
    assert Elsewhere.seen == [("/api/projects", "Bearer pat_secret")]
