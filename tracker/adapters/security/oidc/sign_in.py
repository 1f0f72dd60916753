"""Sign-in by the authorization code flow with PKCE (OpenID Connect Core 1.0, section 3.1; RFC 7636)."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus

from authlib.oauth2 import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from tracker.adapters.security.oidc.answers import ProviderHttp, is_confidential
from tracker.adapters.security.oidc.id_token import ExpectedToken, key_id_of
from tracker.adapters.security.oidc.metadata import ProviderDocuments, ProviderMetadata
from tracker.adapters.security.oidc.person import is_told_in_full, person_of
from tracker.domain.errors import Invalid, Unauthenticated
from tracker.domain.identity.sign_in.external import ExternalIdentity
from tracker.ports.sign_in import SignInStart

__all__ = ["OidcIdentityProvider"]

# RFC 6749, section 5.2. Anything else that a provider calls its error is not repeated.
_TOKEN_ERRORS = (
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
    "invalid_scope",
)  # fmt: skip
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1; nothing that breaks out of a header


class OidcIdentityProvider:
    """An :class:`~tracker.ports.sign_in.IdentityProvider` that speaks OpenID Connect over httpx.

    Args:
        issuer: the provider, as its discovery document calls itself: https, or http on this machine.
        client_id: by which the provider knows us.
        client_secret: ``None`` for a public client, which PKCE alone protects.
        groups_claim: the claim with the names of the person's groups.
        scopes: what is asked for; "openid" is among them.
        timeout: seconds for each of the provider's answers.
        monotonic: tells seconds that never go back; the provider's documents age by it.

    Raises:
        Invalid: an argument is not of its form.
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str | None = None,
        *,
        groups_claim: str = "groups",
        scopes: Sequence[str] = ("openid", "email", "profile"),
        timeout: float = 10.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        _check(issuer, client_id, scopes)
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret or None
        self._groups_claim = groups_claim
        self._scopes = tuple(scopes)
        self._http = ProviderHttp(timeout)
        self._documents = ProviderDocuments(issuer, self._http, monotonic)

    def __repr__(self) -> str:
        return f"OidcIdentityProvider({self._issuer!r}, {self._client_id!r})"

    async def begin(self, redirect_uri: str) -> SignInStart:
        """See the port."""
        metadata = await self._documents.metadata()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        url = prepare_grant_uri(
            metadata.authorization_endpoint,
            client_id=self._client_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=self._scopes,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return SignInStart(url=url, state=state, verifier=verifier, nonce=nonce)

    async def finish(self, redirect_uri: str, code: str, start: SignInStart) -> ExternalIdentity:
        """See the port."""
        metadata = await self._documents.metadata()
        tokens = await self._exchange(metadata, redirect_uri, code, start.verifier)
        id_token = _token(tokens, "id_token")
        keys = await self._documents.keys(key_id_of(id_token))
        claims = ExpectedToken(self._issuer, self._client_id, start.nonce).claims(id_token, keys)
        userinfo: Mapping[str, Any] = {}
        if metadata.userinfo_endpoint and not is_told_in_full(claims, self._groups_claim):
            userinfo = await self._userinfo(metadata.userinfo_endpoint, tokens, claims["sub"])
        return person_of(self._issuer, claims, userinfo, self._groups_claim)

    async def aclose(self) -> None:
        """Closes the connections to the provider."""
        await self._http.aclose()

    async def _exchange(
        self, metadata: ProviderMetadata, redirect_uri: str, code: str, verifier: str
    ) -> Mapping[str, Any]:
        """The provider's tokens for `code`."""
        try:
            body = prepare_token_request(
                "authorization_code", code=code, redirect_uri=redirect_uri, code_verifier=verifier
            )
        except UnicodeEncodeError as error:
            raise Unauthenticated("the sign-in came back with a code that no provider gives") from error
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        authentication = self._client_authentication(metadata)
        url, headers, body = authentication.prepare("POST", metadata.token_endpoint, headers, body)
        answer = await self._http.ask("POST", url, headers, body)
        told = answer.json_object()
        if answer.is_refusal or "error" in told:
            why = next(
                (each for each in _TOKEN_ERRORS if each == told.get("error")), f"status {answer.status}"
            )
            raise Unauthenticated(f"the identity provider does not accept the sign-in ({why}); start again")
        return told

    def _client_authentication(self, metadata: ProviderMetadata) -> ClientAuth:
        """How the token endpoint recognises us."""
        if self._client_secret is None:
            return ClientAuth(self._client_id, None, "none")
        if "client_secret_basic" in metadata.client_authentication:
            # RFC 6749, section 2.3.1, has both encoded as form values first.
            encoded = quote_plus(self._client_id), quote_plus(self._client_secret)
            return ClientAuth(*encoded, "client_secret_basic")
        if "client_secret_post" in metadata.client_authentication:
            return ClientAuth(self._client_id, self._client_secret, "client_secret_post")
        raise Unauthenticated("the identity provider does not recognise clients by a secret")

    async def _userinfo(self, url: str, tokens: Mapping[str, Any], subject: str) -> Mapping[str, Any]:
        """What the provider tells about `subject` besides the ID token."""
        token = _token(tokens, "access_token")
        answer = await self._http.ask("GET", url, {"Authorization": f"Bearer {token}"})
        if answer.is_refusal:
            raise Unauthenticated(f"the identity provider's userinfo answers {answer.status}")
        told = answer.json_object()
        if told.get("sub") != subject:
            raise Unauthenticated("the identity provider's userinfo is about somebody else")
        return told


def _token(tokens: Mapping[str, Any], name: str) -> str:
    token = tokens.get(name)
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise Unauthenticated(f"the identity provider sends no {name}")
    return token


def _check(issuer: str, client_id: str, scopes: Sequence[str]) -> None:
    if not is_confidential(issuer, beside_us=True) or set("?#@") & set(issuer):
        raise Invalid.field(
            "OIDC_ISSUER",
            "must be like https://login.example.com: https, or http on this machine; no user, no query",
        )
    if not client_id:
        raise Invalid.field("OIDC_CLIENT_ID", "must name this installation, as the provider knows it")
    if "openid" not in scopes:
        raise Invalid.field("OIDC_SCOPES", "must have openid among them")
