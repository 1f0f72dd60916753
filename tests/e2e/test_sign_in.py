"""Sign-in through our server at a real provider: the browser's way, the account, the teams."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.e2e.conftest import Databases, LiveServer, ServerFactory
from tests.identity_providers import mock_provider
from tracker.container import Container, build, start, stop
from tracker.domain.identity.actor import local_actor
from tracker.domain.identity.roles import Role
from tracker.domain.identity.sign_in.external import GroupRole
from tracker.settings import Settings

pytestmark = pytest.mark.slow  # a server and its processes, for half a minute

BACK = "https://tracker.example/api/auth/oidc/callback"
ADMIN = local_actor("test")
PEOPLE: tuple[dict[str, object], ...] = (
    {
        "sub": "ada",
        "email": "ada@example.com",
        "email_verified": True,
        "name": "Ada",
        "groups": ["ml", "leads"],
    },
    {"sub": "bob", "email": "Bob@example.com", "email_verified": True, "groups": ["ml"]},
    {"sub": "eve", "email": "victim@example.com", "email_verified": False},
    {"sub": "kim", "email": "kim@example.com", "email_verified": True},
)
RULES = (
    GroupRole(group="ml", team="Research", role=Role.MEMBER),
    GroupRole(group="leads", team="Research", role=Role.ADMIN),
)


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with mock_provider(*PEOPLE) as url:
        yield url


@pytest.fixture(scope="module")
def settings(provider: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    with httpx.Client() as http:
        told = http.post(f"{provider}/oauth2/clients", json={"redirect_uris": [BACK]}).json()
    return databases.settings(
        tmp_path_factory.mktemp("sign-in"), auth="required", public_url="https://tracker.example",
        oidc_issuer=provider, oidc_client_id=told["client_id"], oidc_client_secret=told["client_secret"],
        oidc_teams=RULES,
    )  # fmt: skip


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[LiveServer]:
    live = LiveServer(settings)
    yield live
    live.stop()


@pytest.fixture
async def house(server: LiveServer, settings: Settings) -> AsyncIterator[Container]:
    """The same installation from inside, with the team that the rules name."""
    container = build(settings)
    await start(container)
    if not await container.teams().list(ADMIN):
        await container.teams().create(ADMIN, "Research")
    yield container
    await stop(container)


class Browser:
    """Keeps the cookie of the tracker; knows the way to the provider and back."""

    def __init__(self, server: LiveServer, who: str) -> None:
        self._url = server.url
        self._who = who
        self.cookie = ""

    def leave(self) -> str:
        """To the provider's page; gives its address."""
        away = httpx.get(f"{self._url}/api/auth/oidc/login")
        assert away.status_code == 302, away.text
        self.cookie = away.headers["set-cookie"]
        return away.headers["location"]

    def sign_in(self, page: str) -> dict[str, str]:
        """Says at the provider who one is; gives what the browser is sent back with."""
        answer = httpx.post(page, data={"sub": self._who})
        assert answer.status_code == 302, answer.text
        assert answer.headers["location"].startswith(BACK)
        return {k: v for k, (v,) in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    def come_back(self, query: dict[str, str], cookie: str | None = None) -> httpx.Response:
        """Back at the tracker."""
        carried = (self.cookie if cookie is None else cookie).partition(";")[0]
        return httpx.get(f"{self._url}/api/auth/oidc/callback", params=query, headers={"Cookie": carried})

    def whole_way(self) -> httpx.Response:
        return self.come_back(self.sign_in(self.leave()))

    def me(self, token: str) -> dict[str, object]:
        return httpx.get(f"{self._url}/api/users/me", headers={"Authorization": f"Bearer {token}"}).json()


async def role_of(house: Container, email: str) -> Role | None:
    (team,) = await house.teams().list(ADMIN)
    members = await house.teams().members(ADMIN, team.id)
    return next((member.role for member, user in members if user.email == email), None)


async def test_who_signs_in_gets_an_account_a_session_and_the_teams_of_their_groups(server, house) -> None:
    browser = Browser(server, "ada")
    answer = browser.whole_way()
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    me = browser.me(answer.json()["access_token"])
    assert (me["email"], me["displayName"], me["is_verified"]) == ("ada@example.com", "Ada", True)
    assert await role_of(house, "ada@example.com") is Role.ADMIN
    again = Browser(server, "ada").whole_way()
    assert Browser(server, "ada").me(again.json()["access_token"])["id"] == me["id"]


async def test_a_role_that_the_groups_no_longer_give_goes_with_the_next_sign_in(server, house) -> None:
    Browser(server, "bob").whole_way()
    assert await role_of(house, "bob@example.com") is Role.MEMBER
    (team,) = await house.teams().list(ADMIN)
    await house.accounts().create(ADMIN, "kim@example.com", None)
    await house.teams().add_member(ADMIN, team.id, Role.MEMBER, email="kim@example.com")
    Browser(server, "kim").whole_way()
    assert await role_of(house, "kim@example.com") is None


async def test_the_cookie_is_kept_from_scripts_and_is_no_session(server, house) -> None:
    browser = Browser(server, "ada")
    browser.leave()
    kept = browser.cookie.partition(";")[2]
    assert {"HttpOnly", "SameSite=Lax", "Secure"} <= {part.strip() for part in kept.split(";")}
    token = browser.cookie.partition(";")[0].partition("=")[2]
    refused = httpx.get(f"{server.url}/api/users/me", headers={"Authorization": f"Bearer {token}"})
    assert refused.status_code == 401


async def test_another_browser_state_or_code_is_refused(server, house) -> None:
    browser, stranger = Browser(server, "ada"), Browser(server, "ada")
    query = browser.sign_in(browser.leave())
    stranger.leave()
    assert stranger.come_back(query).status_code == 401
    assert browser.come_back(query, cookie="").status_code == 401
    assert browser.come_back({**query, "state": "x"}).status_code == 401
    assert browser.come_back({**query, "code": "x"}).status_code == 401
    assert browser.come_back({"error": "access_denied", "state": query["state"]}).status_code == 401


async def test_an_account_is_joined_only_by_an_address_that_the_provider_verified(server, house) -> None:
    await house.accounts().create(ADMIN, "victim@example.com", None)
    answer = Browser(server, "eve").whole_way()
    assert answer.status_code == 403, answer.text


async def test_whoever_registered_under_the_address_before_is_put_out(server, house, settings) -> None:
    with httpx.Client(base_url=server.url) as http:
        squatter = {"email": "dee@example.com", "password": "squatters password"}
        assert http.post("/api/auth/register", json=squatter).status_code == 201
        form = {"username": "dee@example.com", "password": "squatters password"}
        token = http.post("/api/auth/jwt/login", data=form).json()["access_token"]
        shown = {"Authorization": f"Bearer {token}"}
        made = http.post("/api/api-tokens", json={"name": "t", "scopes": ["*"]}, headers=shown).json()
        with mock_provider({"sub": "dee", "email": "dee@example.com", "email_verified": True}) as url:
            told = httpx.post(f"{url}/oauth2/clients", json={"redirect_uris": [BACK]}).json()
            other = settings.evolve(
                oidc_issuer=url, oidc_client_id=told["client_id"], oidc_client_secret=told["client_secret"]
            )
            live = LiveServer(other)
            try:
                assert Browser(live, "dee").whole_way().status_code == 200
            finally:
                live.stop()
        for bearer in (token, made["token"]):
            refused = http.get("/api/users/me", headers={"Authorization": f"Bearer {bearer}"})
            assert refused.status_code == 401
        assert http.post("/api/auth/jwt/login", data=form).status_code == 400


async def test_an_inactive_account_stays_out(server, house) -> None:
    Browser(server, "kim").whole_way()
    (kim,) = [user for user in await house.accounts().list(ADMIN) if user.email == "kim@example.com"]
    await house.accounts().edit(ADMIN, kim.id, is_active=False)
    assert Browser(server, "kim").whole_way().status_code == 403


def test_without_a_provider_the_way_there_is_unavailable_with_the_reason(
    start_server: ServerFactory, tmp_path: Path
) -> None:
    live = start_server(tmp_path, auth="required", public_url="https://tracker.example")
    answer = httpx.get(f"{live.url}/api/auth/oidc/login")
    assert answer.status_code == 503 and "OIDC_ISSUER" in answer.json()["detail"]
