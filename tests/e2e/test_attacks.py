"""What an attacker tries, each over a real socket against a team's server."""

from __future__ import annotations

import concurrent.futures
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import uvicorn
from dependency_injector import providers

from entrypoints.http.app import create_app
from entrypoints.http.patience import PatientProtocol
from entrypoints.http.routes import ROUTES
from tests.doubles import Vouching
from tests.e2e.team_server import PASSWORDS, TeamServer, base64url, claims_of, forged, team_server
from tracker.container import build
from tracker.settings import Settings

pytestmark = pytest.mark.slow  # a server and its processes, for half a minute

BODY_SECONDS = 2
ORIGIN = "https://ui.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TeamServer]:
    """One server for the whole module; at the end, whatever it said anywhere must hold no secret."""
    folder = tmp_path_factory.mktemp("team")
    with team_server(folder, body_seconds=BODY_SECONDS, allowed_origins=(ORIGIN,)) as running:
        yield running
        told = {
            "log": "\n".join(running.log.lines),
            "error body": "\n".join(running.bodies),
            "audit row": running.rows(),
            "environment": repr(dict(os.environ)),
        }
        # Enough was said that could have held a secret; a part of this module alone says too little.
        assert len(running.log.lines) > 50 and len(running.bodies) > 20
    _, secret = running.signing_key()
    hidden = running.secrets | {base64url(secret)}
    leaks = [(where, known[:12]) for where, text in told.items() for known in hidden if known in text]
    assert leaks == []


def refused(server: TeamServer, token: str) -> None:
    answer = server.ask("GET", "/api/users/me", token)
    assert answer.status_code == 401, (answer.status_code, token)
    assert answer.json()["code"] == "unauthenticated"


def test_nothing_but_health_and_login_answers_without_credentials(server: TeamServer):
    for route in ROUTES:
        path = route.path
        for name in ("project_id", "experiment_id", "team_id", "user_id", "token_id", "grant_id"):
            path = path.replace(f"{{{name}}}", str(uuid4()))
        answer = server.ask(route.method, path)
        if route.scope == "link":  # which is the credential itself, and this is none
            assert answer.status_code == 401, (route.method, path)
            continue
        if route.scope == "desk":  # a worker shows its pass, or its handle in the body
            assert answer.status_code in (401, 422), (route.method, path)
            continue
        asked = answer.status_code == 401 and "show a token" in answer.json()["detail"]
        assert asked == (route.scope != "public"), (route.method, path)
    for path in ("/api/nothing", "/api/projects/", "//api/projects", "/api/health/../projects"):
        assert server.ask("GET", path).status_code in (401, 404)


JWT = {"alg": "HS256", "typ": "JWT"}


def test_a_session_token_that_we_did_not_sign_so_opens_nothing(server: TeamServer):
    good = server.session("ada")
    claims, (kid, key) = claims_of(good), server.signing_key()
    head, payload, signature = good.split(".")
    admin = {**claims, "sub": server.ids["admin"]}
    unsigned = base64url(json.dumps(admin).encode())
    tokens = {
        "none": ".".join((base64url(b'{"alg":"none"}'), unsigned, "")),
        "None with kid": ".".join(
            (base64url(json.dumps({"alg": "None", "kid": kid}).encode()), unsigned, "")
        ),
        "wrong key": forged({**JWT, "kid": kid}, admin, b"x" * 32),
        "empty key": forged({**JWT, "kid": kid}, admin, b""),
        "wrong kid": forged({**JWT, "kid": "other"}, claims, key),
        "no kid": forged(JWT, claims, key),
        "kid of a path": forged({**JWT, "kid": "../../dev/null"}, claims, b""),
        "kid no text": forged({**JWT, "kid": [kid]}, claims, key),
        "other algorithm": forged({"alg": "HS512", "kid": kid}, claims, key, "sha512"),
        "key in the header": forged(
            {**JWT, "kid": kid, "jwk": {"kty": "oct", "k": base64url(b"x" * 32)}}, admin, b"x" * 32
        ),
        "edited claims": f"{head}.{unsigned}.{signature}",
        "expired": forged({**JWT, "kid": kid}, {**claims, "exp": int(time.time()) - 1}, key),
        "never expires": forged({**JWT, "kid": kid}, {k: v for k, v in claims.items() if k != "exp"}, key),
        "expiry as text": forged({**JWT, "kid": kid}, {**claims, "exp": "9999999999"}, key),
        "other audience": forged({**JWT, "kid": kid}, {**claims, "aud": "sign-in"}, key),
        "audiences": forged({**JWT, "kid": kid}, {**claims, "aud": ["session"]}, key),
        "old epoch": forged({**JWT, "kid": kid}, {**claims, "epoch": claims["epoch"] - 1}, key),
        "nobody": forged({**JWT, "kid": kid}, {**claims, "sub": str(uuid4())}, key),
        "critical header": forged({**JWT, "kid": kid, "crit": ["b64"], "b64": False}, claims, key),
        "cut": good[:-1],
        "doubled": f"{good},Bearer {good}",
        "huge": "a" * 20_000,
        "payload only": payload,
    }
    assert server.ask("GET", "/api/users/me", forged({**JWT, "kid": kid}, claims, key)).status_code == 200
    for token in tokens.values():
        refused(server, token)


def test_two_authorization_headers_are_none(server: TeamServer):
    good = server.tokens["ada"]
    for first, second in ((good, "x"), ("x", good), (good, good)):
        request = (
            f"GET /api/users/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            f"Authorization: Bearer {first}\r\nAuthorization: Bearer {second}\r\n\r\n"
        )
        assert server.raw(request.encode()).startswith(b"HTTP/1.1 401")
    for scheme in ("Basic", "bearer:", "Token"):
        assert (
            server.ask("GET", "/api/users/me", headers={"Authorization": f"{scheme} {good}"}).status_code
            == 401
        )
    assert server.ask("GET", f"/api/users/me?access_token={good}").status_code == 401


def test_a_deactivated_user_s_tokens_open_nothing(server: TeamServer):
    server.register("gone")
    session, pat = server.tokens["gone"], server.pat("gone", "project.view")
    one = f"/api/users/{server.ids['gone']}"
    assert server.ask("PATCH", one, "admin", json={"isActive": False}).status_code == 200
    refused(server, session)
    refused(server, pat)
    assert server.login("gone").status_code == 400


def test_a_request_under_way_when_its_user_is_deactivated_does_nothing(server: TeamServer):
    """The credentials come first and the body later: what counts is what holds when it is there."""
    server.register("slow")
    body = json.dumps({"name": "made too late"}).encode()
    head = (
        f"POST /api/projects HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {server.tokens['slow']}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.live.port), timeout=10) as connection:
        connection.sendall(head.encode() + body[:3])
        time.sleep(1.2)
        one = f"/api/users/{server.ids['slow']}"
        assert server.ask("PATCH", one, "admin", json={"isActive": False}).status_code == 200
        connection.sendall(body[3:])
        assert connection.recv(1000).startswith(b"HTTP/1.1 401")
    assert "made too late" not in server.ask("GET", "/api/projects", "admin").text


def test_brute_force_is_stopped_whatever_the_spelling_header_or_number_at_once(server: TeamServer):
    server.register("target")

    def guess(n: int) -> httpx.Response:
        spelling = ("target@example.org", "TARGET@example.org", " Target@Example.ORG ")[n % 3]
        form = {"username": spelling, "password": f"guess number {n}"}
        headers = {
            "X-Forwarded-For": f"203.0.113.{n}",
            "X-Real-IP": f"203.0.113.{n}",
            "Forwarded": f"for=203.0.113.{n}",
        }
        return server.ask("POST", "/api/auth/jwt/login", data=form, headers=headers)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(16)))
    assert sorted(answer.status_code for answer in answers) == [400] * 10 + [429] * 6
    late = server.login("target")
    assert late.status_code == 429 and 0 < int(late.headers["retry-after"]) <= 900
    assert late.json()["code"] == "too_many_requests"
    assert server.login("ada").status_code == 200


def test_login_and_reset_tell_nobody_who_has_an_account(server: TeamServer):
    server.register("asleep")
    one = f"/api/users/{server.ids['asleep']}"
    server.ask("PATCH", one, "admin", json={"isActive": False})
    said, asked = set(), set()
    for name in ("ada", "asleep", "stranger"):
        answer = server.login(name, "not the password")
        said.add((answer.status_code, answer.text, *sorted(answer.headers.keys())))
        answer = server.ask("POST", "/api/auth/forgot-password", json={"email": f"{name}@example.org"})
        asked.add((answer.status_code, answer.text, *sorted(answer.headers.keys())))
    assert len(said) == len(asked) == 1 and next(iter(said))[0] == 400 and next(iter(asked))[0] == 202


def test_a_letter_s_code_sets_a_password_once_and_is_readable_by_its_owner_only(server: TeamServer):
    server.register("forgetful")
    before = set((server.folder / "mail").glob("*.eml")) if (server.folder / "mail").exists() else set()
    server.ask("POST", "/api/auth/forgot-password", json={"email": "Forgetful@example.org"})
    letters: set[Path] = set()
    for _ in range(100):
        letters = set((server.folder / "mail").glob("*.eml")) - before
        if letters:
            break
        time.sleep(0.02)
    (letter,) = letters
    assert letter.stat().st_mode & 0o777 == 0o600 and letter.parent.stat().st_mode & 0o777 == 0o700
    (code,) = [line.strip() for line in letter.read_text().splitlines() if line.startswith("    ")]
    PASSWORDS["forgetful"] = "a brand new pass phrase"
    server.secrets |= {code, PASSWORDS["forgetful"]}
    body = {"token": code, "password": PASSWORDS["forgetful"]}
    assert server.ask("POST", "/api/auth/reset-password", json=body).status_code == 200
    assert server.ask("POST", "/api/auth/reset-password", json=body).status_code == 400
    refused(server, server.tokens["forgetful"])
    assert server.login("forgetful").status_code == 200


def test_a_token_raises_neither_itself_nor_another(server: TeamServer):
    weak = server.pat("ada", "project.view")
    (mine,) = [
        t for t in server.ask("GET", "/api/api-tokens", weak).json() if t["scopes"] == ["project.view"]
    ]
    strong = server.pat("ada", "*")
    (other,) = [t for t in server.ask("GET", "/api/api-tokens", "ada").json() if len(t["scopes"]) > 1]
    for method, path, body in (
        ("PATCH", f"/api/api-tokens/{mine['id']}", {"scopes": ["*"]}),
        ("PATCH", f"/api/api-tokens/{mine['id']}", {"scopes": ["project.view", "project.edit"]}),
        ("PATCH", f"/api/api-tokens/{other['id']}", {"scopes": ["project.view"]}),
        ("DELETE", f"/api/api-tokens/{other['id']}", None),
        ("POST", "/api/api-tokens", {"name": "x", "scopes": ["project.edit"]}),
        ("PATCH", "/api/users/me", {"password": "another password", "currentPassword": PASSWORDS["ada"]}),
        ("DELETE", "/api/users/me", None),
        ("POST", "/api/projects", {"name": "x"}),
    ):
        assert server.ask(method, path, weak, json=body).status_code == 403, (method, path, body)
    assert server.ask("GET", "/api/users/me", strong).status_code == 200


def test_a_project_goes_into_no_team_that_one_may_not_write_and_out_of_none(server: TeamServer):
    team = server.ask("POST", "/api/teams", "ada", json={"name": "Ada's"}).json()
    inside = server.ask("POST", "/api/projects", "ada", json={"name": "p", "teamId": team["id"]}).json()
    mine = server.ask("POST", "/api/projects", "eve", json={"name": "q"}).json()
    nowhere = str(uuid4())
    answers = {
        server.ask("PATCH", f"/api/projects/{mine['id']}", "eve", json={"teamId": key}).text.replace(key, "")
        for key in (team["id"], nowhere)
    } | {
        server.ask("POST", "/api/projects", "eve", json={"name": "r", "teamId": key}).text.replace(key, "")
        for key in (team["id"], nowhere)
    }
    assert len(answers) == 1 and '"code":"invalid"' in answers.pop()
    one = f"/api/projects/{inside['id']}"
    assert server.ask("PATCH", one, "eve", json={"teamId": None}).status_code == 404
    place = {"teamId": team["id"], "userId": server.ids["eve"], "role": "member"}
    assert server.ask("POST", "/api/teams/members", "ada", json=place).status_code == 201
    grant = {"projectId": inside["id"], "userId": server.ids["eve"], "action": "project.edit"}
    assert server.ask("POST", "/api/permissions", "ada", json=grant).status_code == 201
    hers = server.ask("POST", "/api/teams", "eve", json={"name": "Eve's"}).json()
    for team_id in (None, hers["id"]):
        assert server.ask("PATCH", one, "eve", json={"teamId": team_id}).status_code == 403
    assert server.ask("GET", one, "ada").json()["team"]["id"] == team["id"]


@pytest.mark.parametrize(
    "field",
    ["isSuperuser", "is_superuser", "isVerified", "isActive", "ownerId", "owner", "version", "id", "epoch",
     "createdAt", "passwordHash", "__class__"],
)  # fmt: skip
def test_a_field_that_is_not_one_s_to_set_is_refused_everywhere(server: TeamServer, field: str):
    project = server.ask("POST", "/api/projects", "eve", json={"name": "p"}).json()
    value = True if field.startswith("is") else server.ids["eve"]
    before = server.ask("GET", "/api/users/me", "eve").json()
    for method, path, who, body in (
        ("POST", "/api/auth/register", None, {"email": "x@example.org", "password": "long enough"}),
        ("PATCH", "/api/users/me", "eve", {"displayName": "e"}),
        ("POST", "/api/projects", "eve", {"name": "p"}),
        ("PATCH", f"/api/projects/{project['id']}", "eve", {"name": "p"}),
        ("POST", "/api/teams", "eve", {"name": "t"}),
        ("POST", "/api/api-tokens", "eve", {"name": "t", "scopes": ["project.view"]}),
        ("POST", "/api/experiments", "eve", {"projectId": project["id"], "name": "a"}),
    ):
        answer = server.ask(method, path, who, json={**body, field: value})
        assert answer.status_code == 422, (method, path, answer.text)
    after = server.ask("GET", "/api/users/me", "eve").json()
    assert {**before, "display_name": "", "displayName": ""} == {
        **after,
        "display_name": "",
        "displayName": "",
    }


def test_no_header_and_no_log_line_is_made_of_what_we_are_sent(server: TeamServer):
    ends = [
        "\r\nSet-Cookie: a=b",
        "\nSet-Cookie: a=b",
        "%0d%0aSet-Cookie:%20a=b",
        "\x85Set-Cookie: a=b",
        "\x00",
    ]
    lines = len(server.log.lines)
    for end in ends:
        safe = end.replace("\r", "").replace("\n", "")
        raw = (
            f"GET /api/projects/x{safe.replace(' ', '%20')} HTTP/1.1\r\nHost: x{safe}\r\n"
            "Connection: close\r\n"
            f"X-Request-ID: a{safe}\r\nOrigin: {ORIGIN}{safe}\r\nAuthorization: Bearer x{safe}\r\n\r\n"
        )
        answer = server.raw(raw.encode("latin-1"))
        assert b"set-cookie" not in answer.partition(b"\r\n\r\n")[0].lower()
        assert b"allow-origin" not in answer.lower()
        for body in ({"displayName": f"x{end}"}, {"avatarUrl": f"https://example.org/{end}"}):
            changed = server.ask("PATCH", "/api/users/me", "eve", json=body)
            assert "set-cookie" not in changed.headers and changed.status_code in (200, 422)
        for email in (f"a{end}@example.org", f"a@example.org{end}b"):
            answer = server.ask("POST", "/api/auth/forgot-password", json={"email": email})
            assert "set-cookie" not in answer.headers
    server.ask("GET", "/api/projects/%0a1999-01-01%20INFO%20forged", "eve")
    said = [line.partition(" {")[0] for line in server.log.lines[lines:]]
    assert said and not any("\n" in line or "\r" in line for line in said)


ODD = [
    "..", "..%2f..%2fsigning-keys.json", "%2e%2e%2f", "....//", "%00", "%ff%fe", "%ed%a0%80", "%c0%ae", "~",
    "{00000000-0000-7000-8000-000000000001}", "urn:uuid:00000000-0000-7000-8000-000000000001",
    "00000000000070008000000000000001", "'%20OR%201=1--", "1;DROP", "a" * 3000, "%0d%0a", "-1", "null",
    "\uff10" * 36,
]  # fmt: skip


def test_an_id_that_is_none_leads_nowhere(server: TeamServer):
    with_ids = [route for route in ROUTES if route.path.partition("}")[0].endswith("_id")]
    bodies = {"POST": {}, "PUT": {}, "PATCH": {}, "DELETE": None, "GET": None}
    of_their_own = {"link": (401,), "desk": (401,)}  # which are credentials themselves
    with httpx.Client(
        base_url=server.live.url, headers={"Authorization": f"Bearer {server.tokens['admin']}"}
    ) as http:
        for route in with_ids:
            for odd in ODD:
                path = route.path.split("{")[0] + odd + route.path.partition("}")[2]
                answer = http.request(route.method, path, json=bodies[route.method])
                refusals = (400, 404, 405, 422, *of_their_own.get(route.scope, ()))
                assert answer.status_code in refusals, (route.method, path, answer.text)
                assert "secret" not in answer.text


def test_large_deep_and_strange_bodies_are_refused_to_strangers_too(server: TeamServer):
    json_type = {"Content-Type": "application/json"}
    for path in (
        "/api/auth/register",
        "/api/auth/forgot-password",
        "/api/auth/reset-password",
        "/api/auth/setup",
    ):
        for content, status in (
            (b"[" * 100_000, 422), (b'{"a":' * 50_000, 422), (b" " * (2**20 + 1), 413), (b"\xff\xfe", 422),
            (b"null", 422), (b"[]", 422), (b'"' + b"a" * 2**19 + b'"', 422), (b"", 422),
        ):  # fmt: skip
            assert server.ask("POST", path, content=content, headers=json_type).status_code == status
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for content in (
        b"a=1&" * 200,
        b"username=%ff&password=x",
        b"username=a&username=b&password=x",
        b"=" * 9999,
    ):
        assert server.ask("POST", "/api/auth/jwt/login", content=content, headers=form).status_code == 422
    assert server.login("ada", "x" * 1025).status_code == 422


def test_a_body_that_does_not_come_is_dropped(server: TeamServer):
    head = (
        "POST /api/auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Content-Length: 1000\r\n\r\n{"
    )
    answer = server.raw(head.encode(), wait=BODY_SECONDS + 10)  # until the server closes
    assert answer.startswith(b"HTTP/1.1 408") and b"body_too_slow" in answer


def test_a_head_that_does_not_come_is_dropped(tmp_path: Path):
    class Impatient(PatientProtocol):
        head_seconds = 0.3

    app = create_app(build(Settings(data=tmp_path, database_url=f"sqlite:///{tmp_path}/t.db")))
    config = uvicorn.Config(app, port=0, lifespan="on", log_config=None, ws="none", http=Impatient)
    with running(config) as port:
        for begun in (b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(begun)
                assert connection.recv(1000) == b""
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")


def test_no_page_of_another_site_acts_with_somebody_s_credentials(server: TeamServer):
    for origin in ("https://evil.example", "null", ORIGIN + ".evil.example", "http://ui.example", ORIGIN):
        for method, more in (
            ("GET", {}),
            (
                "OPTIONS",
                {
                    "Access-Control-Request-Method": "DELETE",
                    "Access-Control-Request-Headers": "authorization",
                },
            ),
        ):
            headers = server.ask(method, "/api/projects", headers={"Origin": origin, **more}).headers
            assert "access-control-allow-credentials" not in headers
            assert headers.get("access-control-allow-origin") == (ORIGIN if origin == ORIGIN else None)


@pytest.mark.parametrize(
    ("public_url", "secure"), [("https://tracker.example", True), ("http://localhost", False)]
)
async def test_the_cookie_of_a_sign_in_is_read_by_no_script_and_sent_by_no_other_site(
    tmp_path, public_url, secure
):
    settings = Settings(
        data=tmp_path, database_url="sqlite:///:memory:", auth="required", public_url=public_url
    )
    container = build(settings)
    container.signing_keys().ensure(container.clock().now())
    container.identity_provider.override(providers.Singleton(Vouching))
    transport = httpx.ASGITransport(create_app(container))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        begun = await http.get("/api/auth/oidc/login")
        ended = await http.get("/api/auth/oidc/callback", params={"error": "access_denied"})
    assert begun.status_code == 302 and begun.headers["location"] == "https://idp.example/authorize"
    assert ended.status_code == 401
    parts = begun.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Lax", "Path=/api/auth/oidc"} <= set(parts)
    assert ("Secure" in parts) == secure
    assert begun.headers["cache-control"] == "no-store"


def running(config: uvicorn.Config):
    """The port of a server that runs as long as the block."""
    import contextlib
    import threading

    @contextlib.contextmanager
    def block():
        live = uvicorn.Server(config)
        thread = threading.Thread(target=live.run, daemon=True)
        thread.start()
        while not live.started:
            time.sleep(0.01)
        yield live.servers[0].sockets[0].getsockname()[1]
        live.should_exit = True
        thread.join(20)

    return block()
