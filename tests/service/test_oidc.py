"""Sign-in at a real OpenID provider, and at one that cheats: what it may say, and what is refused."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import re
import socket
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from tests.identity_providers import (
    BACK,
    HostileProvider,
    Opening,
    mock_provider,
    refused,
    self_signed_certificate,
    sign_in,
    visit,
)
from tracker.adapters.security.oidc import OidcIdentityProvider
from tracker.adapters.security.oidc.answers import is_confidential
from tracker.domain.errors import Invalid, Unauthenticated, Unavailable
from tracker.domain.identity.sign_in.external import ExternalIdentity

ADA = {
    "sub": "ada", "email": "ada@example.com", "email_verified": True, "name": "Ada Lovelace",
    "groups": ["ml", "leads"],
}  # fmt: skip


@pytest.fixture(scope="module")
def mock_url() -> Iterator[str]:
    with mock_provider(ADA, {"sub": "bob", "email": "bob@example.com"}) as url:
        yield url


async def registered(url: str, method: str = "client_secret_basic") -> tuple[str, str]:
    async with httpx.AsyncClient(verify=False) as http:
        wanted = {"redirect_uris": [BACK], "token_endpoint_auth_method": method}
        told = (await http.post(f"{url}/oauth2/clients", json=wanted)).json()
    return told["client_id"], told["client_secret"]


class TestRealProvider:
    async def test_a_person_signs_in_with_their_groups(self, mock_url: str, opened: Opening) -> None:
        who = await sign_in(opened(mock_url, *await registered(mock_url)))
        assert who == ExternalIdentity(
            issuer=mock_url, subject="ada", email="ada@example.com", email_verified=True,
            name="Ada Lovelace", groups=("ml", "leads"),
        )  # fmt: skip

    async def test_what_the_id_token_leaves_out_is_asked_for_and_may_be_nowhere(
        self, mock_url: str, opened: Opening
    ) -> None:
        who = await sign_in(opened(mock_url, *await registered(mock_url)), "bob")
        assert who == ExternalIdentity(issuer=mock_url, subject="bob", email="bob@example.com")

    async def test_the_scopes_decide_what_is_told(self, mock_url: str, opened: Opening) -> None:
        who = await sign_in(opened(mock_url, *await registered(mock_url), scopes=("openid",)))
        assert (who.subject, who.email, who.name) == ("ada", None, None)

    async def test_a_code_serves_once(self, mock_url: str, opened: Opening) -> None:
        at = opened(mock_url, *await registered(mock_url))
        start = await at.begin(BACK)
        code = (await visit(start.url, "ada"))["code"]
        await at.finish(BACK, code, start)
        with pytest.raises(Unauthenticated, match="invalid_grant"):
            await at.finish(BACK, code, start)

    @pytest.mark.parametrize("code", ["", "made-up", "\x00", "a b&c=d", "é" * 5000, "\ud800"], ids=ascii)
    async def test_a_made_up_code_is_refused(self, code: str, mock_url: str, opened: Opening) -> None:
        at = opened(mock_url, *await registered(mock_url))
        with pytest.raises(Unauthenticated):
            await at.finish(BACK, code, await at.begin(BACK))

    async def test_a_wrong_secret_is_refused(self, mock_url: str, opened: Opening) -> None:
        client_id, _ = await registered(mock_url)
        with pytest.raises(Unauthenticated, match="invalid_client"):
            await sign_in(opened(mock_url, client_id, "guessed"))

    async def test_another_nonce_than_ours_is_refused(self, mock_url: str, opened: Opening) -> None:
        at = opened(mock_url, *await registered(mock_url))
        with pytest.raises(Unauthenticated, match="nonce"):
            await sign_in(at, nonce=(await at.begin(BACK)).nonce)

    async def test_nothing_secret_is_logged_or_shown(
        self, mock_url: str, opened: Opening, caplog: pytest.LogCaptureFixture
    ) -> None:
        client_id, secret = await registered(mock_url)
        at = opened(mock_url, client_id, secret)
        start = await at.begin(BACK)
        code = (await visit(start.url, "ada"))["code"]
        caplog.clear()
        with caplog.at_level(logging.DEBUG):
            await at.finish(BACK, code, start)
            with pytest.raises(Unauthenticated) as caught:
                await at.finish(BACK, code, start)
        shown = f"{caplog.text} {at!r} {start!r} {caught.value!r} {caught.value.__cause__!r}"
        assert "/oauth2/token" in shown  # so the log is the right one
        for hidden in (secret, code, start.state, start.nonce, start.verifier):
            assert hidden not in shown


class TestBeginning:
    async def test_each_sign_in_has_its_own_secrets(self, hostile: HostileProvider, opened: Opening) -> None:
        at = opened(hostile.url)
        starts = [await at.begin(BACK) for _ in range(20)]
        told = [value for start in starts for value in (start.state, start.verifier, start.nonce)]
        assert len(set(told)) == 60
        assert all(len(value) >= 43 for value in told)  # RFC 7636, section 4.1

    async def test_the_verifier_is_not_in_the_address(
        self, hostile: HostileProvider, opened: Opening
    ) -> None:
        start = await opened(hostile.url).begin(BACK)
        assert start.verifier not in start.url
        assert {"code_challenge", "nonce", "state", "scope"} <= set(httpx.URL(start.url).params)

    async def test_an_endpoint_keeps_its_own_query(self, hostile: HostileProvider, opened: Opening) -> None:
        hostile.document["authorization_endpoint"] += "?tenant=7"
        params = httpx.URL((await opened(hostile.url).begin(BACK)).url).params
        assert (params["tenant"], params["client_id"], params["redirect_uri"]) == ("7", "tracker", BACK)

    @pytest.mark.parametrize(
        "issuer",
        ["http://login.example.com", "ftp://127.0.0.1", "login", "", "https://", "http://[", "\ud800",
         "https://login.example.com/?a=b", "https://ada:secret@login.example.com", "http://127.0.0.1.example.com"],
        ids=ascii,
    )  # fmt: skip
    def test_an_issuer_that_others_can_listen_to_is_invalid(self, issuer: str) -> None:
        with pytest.raises(Invalid, match="OIDC_ISSUER") as caught:
            OidcIdentityProvider(issuer, "tracker")
        assert "secret" not in caught.value.detail

    def test_a_client_needs_a_name_and_the_scope_of_the_protocol(self) -> None:
        with pytest.raises(Invalid, match="OIDC_CLIENT_ID"):
            OidcIdentityProvider("https://login.example.com", "")
        with pytest.raises(Invalid, match="OIDC_SCOPES"):
            OidcIdentityProvider("https://login.example.com", "tracker", scopes=("email",))

    @pytest.mark.parametrize("missing", ["authlib", "joserfc"])
    def test_without_the_extra_it_says_what_to_install(
        self, missing: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in [name for name in sys.modules if name.startswith("tracker.adapters.security.oidc")]:
            monkeypatch.delitem(sys.modules, name)
        for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
            monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setitem(sys.modules, missing, None)
        with pytest.raises(Unavailable, match=r"pip install 'tracker\[team\]'"):
            importlib.import_module("tracker.adapters.security.oidc")


class TestCode:
    async def test_another_verifier_is_refused(self, hostile: HostileProvider, opened: Opening) -> None:
        assert "invalid_grant" in await refused(hostile, opened(hostile.url), verifier="a" * 43)

    async def test_another_address_than_at_the_beginning_is_refused(
        self, hostile: HostileProvider, opened: Opening
    ) -> None:
        at = opened(hostile.url)
        start = await at.begin(BACK)
        code = (await visit(start.url, "ada"))["code"]
        with pytest.raises(Unauthenticated, match="invalid_grant"):
            await at.finish(f"{BACK}/other", code, start)

    @pytest.mark.parametrize(
        "methods", [None, ["client_secret_basic"], ["private_key_jwt", "client_secret_post"]]
    )
    async def test_the_client_says_who_it_is_as_the_provider_wants(
        self, methods: list[str] | None, hostile: HostileProvider, opened: Opening
    ) -> None:
        if methods:
            hostile.document["token_endpoint_auth_methods_supported"] = methods
        hostile.client = ("tracker: ünder %41+test", "s&cr=t: ü%2B+ ")
        assert (await sign_in(opened(hostile.url, *hostile.client))).subject == "ada"
        hostile.client = ("tracker: ünder %41+test", "changed")
        assert "invalid_client" in await refused(hostile, opened(hostile.url, hostile.client[0], "guessed"))

    async def test_a_provider_that_wants_no_secret_gets_none(
        self, hostile: HostileProvider, opened: Opening
    ) -> None:
        hostile.client = ("tracker", "s")
        hostile.document["token_endpoint_auth_methods_supported"] = ["private_key_jwt", "none"]
        assert "secret" in await refused(hostile, opened(hostile.url, *hostile.client))
        assert "/token" not in hostile.asked

    async def test_a_refusal_that_looks_like_success_is_one(
        self, hostile: HostileProvider, opened: Opening
    ) -> None:
        hostile.tokens = {"error": "invalid_grant"}
        assert "invalid_grant" in await refused(hostile, opened(hostile.url))

    @pytest.mark.parametrize("error", ["<script>", "s3cret", None, ["invalid_grant"]])
    async def test_the_words_of_a_refusal_are_not_repeated(
        self, error: Any, hostile: HostileProvider, opened: Opening
    ) -> None:
        told = {"error": error, "error_description": "s3cret <script>"}
        hostile.instead["/token"] = (400, json.dumps(told).encode())
        assert re.search(r"\(status 400\)", await refused(hostile, opened(hostile.url)))


class TestUserinfo:
    async def test_it_adds_what_the_token_leaves_out(self, hostile: HostileProvider, opened: Opening) -> None:
        hostile.claims = {"email": "ada@example.com", "email_verified": True, "name": "Ada"}
        hostile.userinfo |= {"email": "eve@example.com", "name": "Eve", "roles": "ml"}
        who = await sign_in(opened(hostile.url, groups_claim="roles"))
        assert (who.email, who.email_verified, who.name, who.groups) == (
            "ada@example.com",
            True,
            "Ada",
            ("ml",),
        )

    @pytest.mark.parametrize(("told", "verified"), [(True, True), ("true", True), (False, False), (1, False),
                                                    ("yes", False), (None, False)])  # fmt: skip
    async def test_an_address_is_verified_only_where_it_is_told(
        self, told: Any, verified: bool, hostile: HostileProvider, opened: Opening
    ) -> None:
        hostile.claims = {"email_verified": not verified}
        hostile.userinfo |= {"email": "eve@example.com", "email_verified": told}
        who = await sign_in(opened(hostile.url))
        assert (who.email, who.email_verified) == ("eve@example.com", verified)

    async def test_it_is_not_asked_when_the_token_says_all(
        self, hostile: HostileProvider, opened: Opening
    ) -> None:
        hostile.claims = {"email": "ada@example.com", "groups": []}
        assert (await sign_in(opened(hostile.url))).groups == ()
        assert "/userinfo" not in hostile.asked

    async def test_a_provider_may_have_none(self, hostile: HostileProvider, opened: Opening) -> None:
        del hostile.document["userinfo_endpoint"]
        assert (await sign_in(opened(hostile.url))).email is None

    @pytest.mark.parametrize("subject", ["eve", "Ada", None, ["ada"]])
    async def test_of_another_subject_it_is_refused(
        self, subject: Any, hostile: HostileProvider, opened: Opening
    ) -> None:
        hostile.userinfo = {"sub": subject, "email": "eve@example.com"}
        assert "somebody else" in await refused(hostile, opened(hostile.url))

    @pytest.mark.parametrize("token", ["other", "a b", "a\r\nX-Admin: 1", "", None])
    async def test_a_token_that_does_not_serve_there_is_refused(
        self, token: Any, hostile: HostileProvider, opened: Opening
    ) -> None:
        hostile.tokens = {"access_token": token}
        assert re.search("userinfo answers 401|no access_token", await refused(hostile, opened(hostile.url)))


class TestPublishedDocuments:
    @pytest.mark.parametrize(
        ("name", "value", "reason"),
        [
            ("issuer", "http://127.0.0.1:1", "OIDC_ISSUER"),
            ("issuer", None, "OIDC_ISSUER"),
            ("issuer", ["http://127.0.0.1"], "OIDC_ISSUER"),
            ("token_endpoint", "http://login.example.com/token", "token_endpoint"),
            ("token_endpoint", "http://127.0.0.1.example.com/token", "token_endpoint"),
            ("token_endpoint", "file:///etc/passwd", "token_endpoint"),
            ("token_endpoint", "https://\ud800", "token_endpoint"),
            ("token_endpoint", "http://[", "token_endpoint"),
            ("token_endpoint", "/token", "token_endpoint"),
            ("token_endpoint", None, "token_endpoint"),
            ("authorization_endpoint", "javascript:alert(1)", "authorization_endpoint"),
            ("jwks_uri", "http://login.example.com/jwks", "jwks_uri"),
            ("userinfo_endpoint", 7, "userinfo_endpoint"),
        ],
    )
    async def test_another_issuer_or_an_open_address_is_refused_from_the_beginning(
        self, name: str, value: Any, reason: str, hostile: HostileProvider, opened: Opening
    ) -> None:
        hostile.document[name] = value
        with pytest.raises(Unauthenticated, match=reason):
            await opened(hostile.url).begin(BACK)

    def test_a_provider_elsewhere_may_not_send_us_to_this_machine(self) -> None:
        assert is_confidential("http://127.0.0.1/token", beside_us=True)
        assert not is_confidential("http://127.0.0.1/token", beside_us=False)

    async def test_the_issuer_counts_to_the_last_slash(
        self, hostile: HostileProvider, opened: Opening
    ) -> None:
        with pytest.raises(Unauthenticated, match="letter by letter"):
            await opened(f"{hostile.url}/").begin(BACK)

    @pytest.mark.parametrize(
        "keys",
        [
            [], None, {"kid": "first"}, [7, {}, {"kty": "RSA"}, {"kty": ["RSA"]}, {"kty": "ML-DSA"}],
            [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}],
        ],
        ids=repr,
    )  # fmt: skip
    async def test_without_a_key_that_signs_nobody_signs_in(
        self, keys: Any, hostile: HostileProvider, opened: Opening
    ) -> None:
        hostile.keys = keys
        assert "no key" in await refused(hostile, opened(hostile.url))

    async def test_keys_that_nobody_understands_are_passed_over(
        self, hostile: HostileProvider, opened: Opening
    ) -> None:
        hostile.keys = [
            7,
            {"kty": "ML-DSA"},
            {"kty": "EC", "crv": "P-256", "x": "A", "y": "A"},
            *hostile.keys,
        ]
        assert (await sign_in(opened(hostile.url))).subject == "ada"

    async def test_documents_are_kept(self, hostile: HostileProvider, opened: Opening) -> None:
        at = opened(hostile.url)
        for _ in range(3):
            await sign_in(at)
        assert hostile.asked.count("/jwks") == 1
        assert hostile.asked.count("/.well-known/openid-configuration") == 1

    async def test_many_at_once_ask_once(self, hostile: HostileProvider, opened: Opening) -> None:
        at = opened(hostile.url)
        await asyncio.gather(*(sign_in(at) for _ in range(8)))
        assert hostile.asked.count("/jwks") == 1
        assert hostile.asked.count("/.well-known/openid-configuration") == 1

    async def test_those_who_wait_for_a_failing_provider_wait_together(
        self, hostile: HostileProvider, opened: Opening
    ) -> None:
        hostile.drips = {"/.well-known/openid-configuration"}
        at = opened(hostile.url, timeout=0.5)
        outcomes = await asyncio.gather(*(at.begin(BACK) for _ in range(20)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {Unavailable}
        assert len(hostile.asked) == 1

    async def test_who_gives_up_waiting_takes_nobody_along(
        self, hostile: HostileProvider, opened: Opening
    ) -> None:
        at = opened(hostile.url)
        first, second = (asyncio.create_task(at.begin(BACK)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).url.startswith(hostile.url)

    async def test_no_cookie_of_the_provider_comes_back(
        self, hostile: HostileProvider, opened: Opening
    ) -> None:
        at = opened(hostile.url)
        await sign_in(at)
        await sign_in(at)
        assert hostile.cookies == []

    async def test_a_new_key_is_found_but_asked_for_once_a_minute(
        self, hostile: HostileProvider, opened: Opening
    ) -> None:
        now = [0.0]
        at = opened(hostile.url, monotonic=lambda: now[0])
        await sign_in(at)
        second = RSAKey.generate_key(2048, {"kid": "second"})
        hostile.sign = hostile.signer(second)
        now[0] = 61
        for _ in range(3):
            await refused(hostile, at)
        assert hostile.asked.count("/jwks") == 2
        hostile.keys += [second.as_dict(private=False)]
        now[0] = 122
        assert (await sign_in(at)).subject == "ada"
        assert hostile.asked.count("/jwks") == 3

    async def test_a_key_that_was_taken_back_stops_working_within_an_hour(
        self, hostile: HostileProvider, opened: Opening
    ) -> None:
        now = [0.0]
        at = opened(hostile.url, monotonic=lambda: now[0])
        await sign_in(at)
        hostile.keys = [RSAKey.generate_key(2048, {"kid": "second"}).as_dict(private=False)]
        now[0] = 3600
        assert "invalid_key_id" in await refused(hostile, at)


PATHS = ("/.well-known/openid-configuration", "/jwks", "/token", "/userinfo")


class TestUnavailable:
    async def test_a_provider_that_is_down_is_unavailable(self, opened: Opening) -> None:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        with pytest.raises(Unavailable, match="does not answer"):
            await opened(f"http://127.0.0.1:{port}").begin(BACK)

    async def test_one_that_takes_the_call_and_says_nothing_is_unavailable(self, opened: Opening) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            at = opened(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)
            with pytest.raises(Unavailable, match="does not answer"):
                await at.begin(BACK)

    async def test_one_that_nobody_vouches_for_is_unavailable_and_told_nothing(self, opened: Opening) -> None:
        with HostileProvider(self_signed_certificate()).running() as impostor:
            assert impostor.url.startswith("https:")
            with pytest.raises(Unavailable, match="certificate"):
                await opened(impostor.url).begin(BACK)
            assert impostor.asked == []

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (500, b"s3cret"), (502, b"{}"), (429, b"{}"), (302, b""), (200, b""), (200, b"<html>s3cret"),
            (200, b"[]"), (200, b"7"), (200, b"\xff"), (200, b"[" * 100_000), (200, b" " * 2**21 + b"{}"),
            (200, b"9" * 5000),
        ],
        ids=lambda value: repr(value)[:16],
    )  # fmt: skip
    async def test_what_is_no_answer_is_unavailable(
        self, status: int, body: bytes, path: str, hostile: HostileProvider, opened: Opening
    ) -> None:
        hostile.instead[path] = (status, body)
        with pytest.raises(Unavailable) as caught:
            await sign_in(opened(hostile.url))
        assert "s3cret" not in caught.value.detail
        assert path in hostile.asked

    @pytest.mark.parametrize("path", PATHS)
    async def test_an_answer_that_never_ends_is_unavailable(
        self, path: str, hostile: HostileProvider, opened: Opening
    ) -> None:
        hostile.drips = {path}
        with pytest.raises(Unavailable, match="TimeoutError"):
            await sign_in(opened(hostile.url, timeout=0.3))

    @pytest.mark.parametrize("path", PATHS[:2])
    async def test_a_document_that_is_not_there_is_unavailable(
        self, path: str, hostile: HostileProvider, opened: Opening
    ) -> None:
        hostile.instead[path] = (404, b"{}")
        with pytest.raises(Unavailable, match="404"):
            await sign_in(opened(hostile.url))

    async def test_it_recovers_with_the_provider(self, hostile: HostileProvider, opened: Opening) -> None:
        at = opened(hostile.url)
        for path in PATHS:
            hostile.instead = {path: (503, b"")}
            with pytest.raises(Unavailable):
                await sign_in(at)
        hostile.instead = {}
        assert (await sign_in(at)).subject == "ada"
