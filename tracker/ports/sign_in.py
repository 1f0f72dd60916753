"""Sign-in at an identity provider."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from tracker.domain.identity.sign_in.external import ExternalIdentity

__all__ = ["IdentityProvider", "SignInStart"]


class SignInStart(NamedTuple):
    """What a browser is sent away with.

    Attributes:
        url: of the provider, where the person signs in.
        state: comes back with the browser and must be the same.
        verifier: the PKCE code verifier (RFC 7636), which stays with us.
        nonce: must stand in the ID token.
    """

    url: str
    state: str
    verifier: str
    nonce: str


class IdentityProvider(Protocol):
    """An OpenID provider, by the authorization code flow with PKCE."""

    async def begin(self, redirect_uri: str) -> SignInStart:
        """Begins a sign-in that will come back to `redirect_uri`.

        Raises:
            Unavailable: the provider does not answer.
        """
        ...

    async def finish(self, redirect_uri: str, code: str, start: SignInStart) -> ExternalIdentity:
        """Who signed in, from the code that came back to `redirect_uri`.

        Raises:
            Unauthenticated: the provider does not accept the code, or its ID token does not hold
                (signature, issuer, audience, nonce, time).
            Unavailable: the provider does not answer.
        """
        ...
