"""What a provider publishes about itself: its addresses (OpenID Connect Discovery 1.0) and its keys."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import httpx
from authlib.oidc.discovery import get_well_known_url
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, import_key

from tracker.adapters.security.oidc.answers import ProviderHttp, is_confidential, is_loopback
from tracker.domain.errors import Unauthenticated, Unavailable

__all__ = ["ProviderDocuments", "ProviderMetadata"]

_KEPT_SECONDS = 3600.0
_ROTATION_SECONDS = 60.0
_SHORTEST_RSA_BITS = 2048
_SIGNING_KEYS = ("RSA", "EC", "OKP")  # a secret (oct) signs nothing that others should believe

T = TypeVar("T")


class ProviderMetadata(NamedTuple):
    """The part of the discovery document that a sign-in needs.

    Attributes:
        userinfo_endpoint: ``None`` when the provider has none.
        client_authentication: the ways in which the token endpoint recognises a client with a secret.
    """

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    client_authentication: tuple[str, ...]


class ProviderDocuments:
    """The documents of one provider, kept for an hour.

    Args:
        issuer: which provider; what its document says must be equal.
        http: how to reach it.
        monotonic: tells seconds that never go back.
    """

    def __init__(self, issuer: str, http: ProviderHttp, monotonic: Callable[[], float]) -> None:
        self._issuer = issuer
        self._http = http
        self._metadata = _Kept(self._fetch_metadata, monotonic)
        self._keys = _Kept(self._fetch_keys, monotonic)

    async def metadata(self) -> ProviderMetadata:
        """The discovery document.

        Raises:
            Unauthenticated: it is of another issuer, or names no address, or one that others can listen to.
            Unavailable: the provider does not answer.
        """
        return await self._metadata.get(_KEPT_SECONDS)

    async def keys(self, key_id: str | None) -> KeySet:
        """The public keys among which `key_id` should be.

        When it is not, the provider may have a new key; so the keys are fetched again, but at most once
        a minute, since whoever makes a token can make up an id. The same holds for a token without one.

        Raises:
            Unauthenticated: the provider publishes no key that could sign.
            Unavailable: the provider does not answer.
        """
        keys = await self._keys.get(_KEPT_SECONDS)
        if any(key.kid == key_id for key in keys):
            return keys
        return await self._keys.get(_ROTATION_SECONDS)

    async def _fetch_metadata(self) -> ProviderMetadata:
        document = await self._document(get_well_known_url(self._issuer, external=True))
        if document.get("issuer") != self._issuer:
            raise Unauthenticated(
                f"the identity provider at {self._issuer} does not call itself that; "
                "OIDC_ISSUER must be, letter by letter, the issuer in its discovery document"
            )
        methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return ProviderMetadata(
            authorization_endpoint=self._address(document, "authorization_endpoint"),
            token_endpoint=self._address(document, "token_endpoint"),
            jwks_uri=self._address(document, "jwks_uri"),
            userinfo_endpoint=(
                self._address(document, "userinfo_endpoint") if "userinfo_endpoint" in document else None
            ),
            client_authentication=tuple(map(str, methods)) if isinstance(methods, list) else (),
        )

    def _address(self, document: Mapping[str, Any], name: str) -> str:
        url = document.get(name)
        beside_us = is_loopback(httpx.URL(self._issuer).host)
        if not isinstance(url, str) or not is_confidential(url, beside_us=beside_us):
            raise Unauthenticated(f"the identity provider's {name} is not an https address")
        return url

    async def _fetch_keys(self) -> KeySet:
        published = (await self._document((await self.metadata()).jwks_uri)).get("keys")
        found = [_signing_key(each) for each in published] if isinstance(published, list) else []
        keys = [key for key in found if key is not None]
        if not keys:
            raise Unauthenticated("the identity provider publishes no key that could sign an ID token")
        return KeySet(keys)

    async def _document(self, url: str) -> Mapping[str, Any]:
        answer = await self._http.ask("GET", url)
        if answer.is_refusal:
            raise Unavailable(f"the identity provider answers {answer.status} at {url}")
        return answer.json_object()


class _Kept(Generic[T]):
    """A document that is kept. Who needs it while it is fetched waits for the same answer, or failure."""

    def __init__(self, fetch: Callable[[], Awaitable[T]], monotonic: Callable[[], float]) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._found: tuple[float, T] | None = None
        self._fetching: asyncio.Task[T] | None = None

    async def get(self, at_most_seconds: float) -> T:
        """The document, fetched again when it is older than that."""
        if self._found is not None and self._monotonic() - self._found[0] < at_most_seconds:
            return self._found[1]
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._renew())
        return await asyncio.shield(self._fetching)

    async def _renew(self) -> T:
        try:
            self._found = (self._monotonic(), await self._fetch())
        finally:
            self._fetching = None
        return self._found[1]


def _signing_key(published: Any) -> Key | None:
    """The key, or ``None`` for one that is not to be understood or trusted (RFC 7517, section 5)."""
    if not isinstance(published, dict) or published.get("kty") not in _SIGNING_KEYS:
        return None
    if published["kty"] == "RSA" and _bits(published.get("n")) < _SHORTEST_RSA_BITS:
        return None
    try:
        return import_key(published)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _bits(modulus: object) -> int:
    """Bits of a number in base64url, by its length."""
    return len(modulus) * 6 // 8 * 8 if isinstance(modulus, str) else 0
