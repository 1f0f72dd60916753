"""Everything that an ID token must hold to; the reason in the sentence tells which check refused it."""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, Key, KeySet, OctKey, OKPKey, RSAKey

from tests.identity_providers import KEY, HostileProvider, Opening, refused, sign_in
from tracker.adapters.security.oidc.id_token import ExpectedToken, key_id_of
from tracker.adapters.security.oidc.person import person_of
from tracker.domain.errors import Unauthenticated


async def test_an_honest_token_of_the_hostile_provider_is_accepted(
    hostile: HostileProvider, opened: Opening
) -> None:
    hostile.claims = {"aud": ["tracker", "other"], "azp": "tracker"}
    assert (await sign_in(opened(hostile.url))).subject == "ada"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": ["another"]}, "nonce"),
        ({"nonce": "\ud800"}, "nonce"),
        ({"iss": "http://127.0.0.1:1"}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": "somebody-else"}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": ["tracker", "other"]}, "azp"),
        ({"aud": ["tracker", "other"], "azp": "other"}, "azp"),
        ({"azp": "other"}, "azp"),
        ({"azp": ["tracker"]}, "azp"),
        ({"exp": None}, "exp"),
        ({"exp": "2999-01-01"}, "exp"),
        ({"exp": float("nan")}, "exp"),
        ({"exp": True}, "exp"),
        ({"iat": None}, "iat"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": "a" * 256}, "sub"),
        ({"sub": "a\x00b"}, "sub"),
        ({"email": ["ada@example.com"]}, "email"),
        ({"email": "ada@\ud800"}, "email"),
        ({"name": {"given": "Ada"}}, "name"),
        ({"groups": {"ml": True}}, "groups"),
        ({"groups": ["ml", 7]}, "groups"),
    ],
    ids=repr,
)
async def test_a_claim_that_does_not_hold_is_refused(
    claims: dict[str, Any], reason: str, hostile: HostileProvider, opened: Opening
) -> None:
    hostile.claims = claims
    hostile.userinfo["sub"] = claims.get("sub", "ada")
    assert reason in await refused(hostile, opened(hostile.url))


@pytest.mark.parametrize(
    ("claim", "seconds", "reason"),
    [("exp", -60, "expired"), ("iat", 600, "iat"), ("nbf", 600, "nbf")],
)
async def test_outside_of_its_time_it_is_refused(
    claim: str, seconds: int, reason: str, hostile: HostileProvider, opened: Opening
) -> None:
    hostile.claims = {claim: time.time() + seconds}
    assert reason in await refused(hostile, opened(hostile.url))


async def test_clocks_may_differ_by_a_little(hostile: HostileProvider, opened: Opening) -> None:
    hostile.claims = {"iat": time.time() + 10, "exp": time.time() - 10}
    assert (await sign_in(opened(hostile.url))).subject == "ada"


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        *((name, KEY) for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
        ("ES256", ECKey.generate_key("P-256")),
        ("ES384", ECKey.generate_key("P-384")),
        ("ES512", ECKey.generate_key("P-521")),
        ("EdDSA", OKPKey.generate_key("Ed25519")),
        ("Ed25519", OKPKey.generate_key("Ed25519")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
async def test_every_asymmetric_algorithm_is_accepted(
    algorithm: str, key: Key, hostile: HostileProvider, opened: Opening
) -> None:
    hostile.keys = [key.as_dict(private=False)]
    hostile.sign = hostile.signer(key, algorithm, kid=None, vendor="7")
    assert (await sign_in(opened(hostile.url))).subject == "ada"


@pytest.mark.parametrize("spelling", ["none", "None", "NONE", "nOnE"])
async def test_an_unsigned_token_is_refused(spelling: str, hostile: HostileProvider, opened: Opening) -> None:
    hostile.sign = lambda claims: sealed({"alg": spelling, "kid": "first"}, claims, lambda _: b"")
    assert "unsupported_algorithm" in await refused(hostile, opened(hostile.url))


@pytest.mark.parametrize("form", ["pem", "der", "modulus"])
async def test_the_public_key_is_no_secret_to_sign_with(
    form: str, hostile: HostileProvider, opened: Opening
) -> None:
    public = RSAKey.import_key(hostile.keys[0])
    modulus = base64.urlsafe_b64decode(str(hostile.keys[0]["n"]) + "==")
    secret = {"pem": public.as_pem(), "der": public.as_der(), "modulus": modulus}[form]
    hostile.sign = lambda claims: sealed(
        {"alg": "HS256", "kid": "first"}, claims, lambda text: hmac.digest(secret, text, "sha256")
    )
    assert "unsupported_algorithm" in await refused(hostile, opened(hostile.url))


async def test_our_secret_signs_nothing_even_when_published(
    hostile: HostileProvider, opened: Opening
) -> None:
    hostile.client = ("tracker", "a-secret-of-more-than-112-bits")
    key = OctKey.import_key(str(hostile.client[1]), {"kid": "shared"})
    hostile.keys += [key.as_dict(private=True)]
    hostile.sign = hostile.signer(key, "HS256")
    await refused(hostile, opened(hostile.url, *hostile.client))


@pytest.mark.parametrize("key_id", ["first", "unknown", None])
async def test_a_key_that_is_not_published_is_refused(
    key_id: str | None, hostile: HostileProvider, opened: Opening
) -> None:
    stranger = RSAKey.generate_key(2048)
    hostile.sign = hostile.signer(stranger, kid=key_id)
    assert re.search("bad_signature|invalid_key_id", await refused(hostile, opened(hostile.url)))


async def test_a_key_that_the_token_brings_along_is_refused(
    hostile: HostileProvider, opened: Opening
) -> None:
    stranger = ECKey.generate_key("P-256")
    hostile.keys = [ECKey.generate_key("P-256", {"kid": "first"}).as_dict(private=False)]
    hostile.sign = hostile.signer(stranger, "ES256", kid="first", jwk=stranger.as_dict(private=False))
    assert "bad_signature" in await refused(hostile, opened(hostile.url))


async def test_edited_claims_are_refused(hostile: HostileProvider, opened: Opening) -> None:
    def edited(claims: dict[str, Any]) -> str:
        head, _, seal = hostile.signer(KEY)(claims).split(".")
        return ".".join((head, as_segment(claims | {"sub": "root"}), seal))

    hostile.sign = edited
    assert "bad_signature" in await refused(hostile, opened(hostile.url))


@pytest.mark.parametrize(
    "restriction", [{"use": "enc"}, {"key_ops": ["encrypt"]}, {"alg": "RS512"}], ids=repr
)
async def test_a_key_for_something_else_is_refused(
    restriction: dict[str, Any], hostile: HostileProvider, opened: Opening
) -> None:
    plain = {name: value for name, value in hostile.keys[0].items() if name not in ("use", "key_ops")}
    hostile.keys = [{**plain, **restriction}]
    await refused(hostile, opened(hostile.url))


@pytest.mark.filterwarnings("ignore:Key size")
async def test_a_key_that_can_be_broken_is_refused(hostile: HostileProvider, opened: Opening) -> None:
    short = RSAKey.generate_key(1024, {"kid": "short"})
    hostile.keys = [short.as_dict(private=False)]
    hostile.sign = hostile.signer(short)
    assert "no key" in await refused(hostile, opened(hostile.url))


@pytest.mark.parametrize(
    "token",
    [
        "", "a", "a.b", "....", "e30.e30.", "W10.e30.e30", "\x00.\x00.\x00", f"{'W' * 500}.e30.e30",
        "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkExMjhHQ00ifQ.e30.e30.e30.e30",  # encrypted
        "a" * 200_000, 7, None, ["e30.e30.e30"],
    ],
    ids=lambda token: repr(token)[:40],
)  # fmt: skip
async def test_what_is_not_a_signed_token_is_refused(
    token: Any, hostile: HostileProvider, opened: Opening
) -> None:
    hostile.tokens = {"id_token": token}
    assert "ID token" in (await refused(hostile, opened(hostile.url))).replace("id_token", "ID token")


async def test_deeply_nested_claims_are_refused(hostile: HostileProvider, opened: Opening) -> None:
    def nested(_: dict[str, Any]) -> str:
        return jws.serialize_compact(
            {"alg": "RS256", "kid": "first"}, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, KEY
        )

    hostile.sign = nested
    assert "unreadable" in await refused(hostile, opened(hostile.url))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
HEADERS = st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "x5c", "enc", "zip"])
CLAIMS = st.sampled_from(
    ["iss", "sub", "aud", "azp", "exp", "nbf", "iat", "nonce", "email", "name", "groups"]
)
EXPECTED = ExpectedToken("https://login.example.com", "tracker", "n")


@given(header=st.dictionaries(HEADERS, JSON | st.sampled_from(["RS256", "first"])), claims=JSON)
def test_a_forged_token_of_any_form_is_refused(header: dict[str, Any], claims: Any) -> None:
    token = sealed(header, claims, lambda _: b"forged")
    with contextlib.suppress(Unauthenticated):
        key_id_of(token)
    with pytest.raises(Unauthenticated):
        EXPECTED.claims(token, KeySet([KEY]))


@given(told=st.dictionaries(CLAIMS, JSON, max_size=3), userinfo=st.dictionaries(CLAIMS, JSON, max_size=3))
def test_claims_of_any_form_are_a_person_or_refused(told: dict[str, Any], userinfo: dict[str, Any]) -> None:
    now = int(time.time())
    honest = {
        "iss": EXPECTED.issuer,
        "aud": "tracker",
        "sub": "ada",
        "nonce": "n",
        "iat": now,
        "exp": now + 300,
    }
    token = HostileProvider.signer(KEY)(honest | told)
    with contextlib.suppress(Unauthenticated):
        person = person_of(EXPECTED.issuer, EXPECTED.claims(token, KeySet([KEY])), userinfo, "groups")
        assert person.subject == told.get("sub", "ada")


def as_segment(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def sealed(header: dict[str, Any], claims: Any, seal: Callable[[bytes], bytes]) -> str:
    """A token that no careful library would make."""
    text = f"{as_segment(header)}.{as_segment(claims)}"
    return f"{text}.{base64.urlsafe_b64encode(seal(text.encode())).rstrip(b'=').decode()}"
