"""How often one token, one address and one guessed token are answered, over a real socket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import uuid4

import httpx
import pytest

from tests.e2e.team_server import TeamServer, team_server
from tracker.domain.identity.tokens.api_token import parse_api_token, plain_api_token
from tracker.domain.ids import ApiTokenId

pytestmark = pytest.mark.slow  # processes of its own, for many seconds

A_MINUTE = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TeamServer]:
    with team_server(tmp_path_factory.mktemp("team"), requests_per_minute=A_MINUTE) as running:
        yield running


def asked(server: TeamServer, token: str) -> httpx.Response:
    return server.ask("GET", "/api/users/me", token)


def refused_at_last(server: TeamServer, tokens: Iterable[str]) -> list[int]:
    """What is answered to one token after another until it is too much: on a slow machine later, since
    what was counted is forgotten meanwhile."""
    seen: list[int] = []
    for token in tokens:
        answer = asked(server, token)
        if answer.status_code == 429:
            assert answer.json()["code"] == "too_many_requests"
            assert 0 < int(answer.headers["retry-after"]) <= 60
            return seen
        seen.append(answer.status_code)
    raise AssertionError(f"{len(seen)} were answered")


def test_a_token_that_asks_too_often_is_told_when_to_come_back_and_keeps_nobody_out(server: TeamServer):
    answered = refused_at_last(server, [server.pat("ada", "teams.view")] * 2000)
    assert len(answered) >= A_MINUTE and set(answered) == {200}
    assert [asked(server, server.tokens[name]).status_code for name in ("ada", "eve")] == [200, 200]


def test_secrets_of_a_token_cannot_be_guessed_on_and_on_while_it_goes_on_to_work(server: TeamServer):
    token = server.pat("eve", "teams.view")
    parsed = parse_api_token(token)
    assert parsed is not None
    key, secret = parsed
    guesses = (plain_api_token(key, number.to_bytes(len(secret), "big")) for number in range(100))
    answered = refused_at_last(server, guesses)
    assert 20 <= len(answered) < 100 and set(answered) == {401}
    assert asked(server, token).status_code == 200


def test_an_address_that_shows_token_after_token_is_slowed_down_but_not_those_who_share_it(
    server: TeamServer,
):
    strange = (plain_api_token(ApiTokenId(uuid4()), bytes(24)) for _ in range(2000))
    assert set(refused_at_last(server, strange)) == {401}
    assert asked(server, server.tokens["eve"]).status_code == 200
