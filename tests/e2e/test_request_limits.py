"""How often one token, one address and one guessed token are answered, over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.e2e.team_server import TeamServer, team_server
from tracker.domain.identity.tokens.api_token import parse_api_token, plain_api_token
from tracker.domain.ids import ApiTokenId

A_MINUTE = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TeamServer]:
    with team_server(tmp_path_factory.mktemp("team"), requests_per_minute=A_MINUTE) as running:
        yield running


def asked(server: TeamServer, token: str, times: int) -> list[httpx.Response]:
    return [server.ask("GET", "/api/users/me", token) for _ in range(times)]


def require_told_when(answer: httpx.Response) -> None:
    assert answer.json()["code"] == "too_many_requests"
    assert 0 < int(answer.headers["retry-after"]) <= 60


def test_a_token_that_asks_too_often_is_told_when_to_come_back_and_keeps_nobody_out(server: TeamServer):
    token = server.pat("ada", "teams.view")
    answers = asked(server, token, A_MINUTE + 20)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers[:A_MINUTE]} == {200} and refused
    require_told_when(refused[0])
    assert asked(server, server.tokens["ada"], 1)[0].status_code == 200
    assert asked(server, server.tokens["eve"], 1)[0].status_code == 200


def test_secrets_of_a_token_cannot_be_guessed_on_and_on_while_it_goes_on_to_work(server: TeamServer):
    token = server.pat("eve", "teams.view")
    parsed = parse_api_token(token)
    assert parsed is not None
    guesses = [plain_api_token(parsed[0], bytes([n]) * len(parsed[1])) for n in range(30)]
    answers = [asked(server, guess, 1)[0] for guess in guesses]
    assert [answer.status_code for answer in answers[:20]] == [401] * 20
    assert answers[-1].status_code == 429
    require_told_when(answers[-1])
    assert asked(server, token, 1)[0].status_code == 200


def test_an_address_that_shows_token_after_token_is_slowed_down_but_not_those_who_share_it(
    server: TeamServer,
):
    answers = [asked(server, plain_api_token(ApiTokenId(uuid4()), bytes(24)), 1)[0] for _ in range(125)]
    assert answers[0].status_code == 401 and answers[-1].status_code == 429
    require_told_when(answers[-1])
    assert asked(server, server.tokens["eve"], 1)[0].status_code == 200
