"""Sign-in at an identity provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from tracker.domain.identity.sign_in.external import ExternalIdentity

__all__ = ["IdentityProvider", "SignInStart"]


@dataclass(frozen=True, slots=True)
class SignInStart:
    """What a browser is sent away with, each time another.

    All but `url` stays with us until the browser is back, where only this browser's session finds it;
    whoever knows them can finish the sign-in, so none is in the ``repr``.

    Attributes:
        url: of the provider, where the person signs in. It carries `state` and `nonce`.
        state: comes back with the browser. The caller of ``finish`` compares it, in constant time, before
            it sends the code on: the provider does not check it.
        verifier: the PKCE code verifier (RFC 7636); the provider has only its hash until ``finish``.
        nonce: must stand in the ID token, which ``finish`` checks.
    """

    url: str = field(repr=False)
    state: str = field(repr=False)
    verifier: str = field(repr=False)
    nonce: str = field(repr=False)


class IdentityProvider(Protocol):
    """An OpenID provider, by the authorization code flow with PKCE.

    No error has a code, a token, a secret or the provider's own words in it.
    """

    async def begin(self, redirect_uri: str) -> SignInStart:
        """Begins a sign-in that will come back to `redirect_uri`.

        Raises:
            Unauthenticated: who answers is not the provider that was asked for, or names addresses
                that others can listen to.
            Unavailable: the provider does not answer, or what it answers is not of the protocol.
        """
        ...

    async def finish(self, redirect_uri: str, code: str, start: SignInStart) -> ExternalIdentity:
        """Who signed in, from the code that came back to `redirect_uri`. A code serves once.

        Args:
            redirect_uri: the same as at the beginning.
            code: what the browser brought, which may be anything.
            start: what ``begin`` gave for this browser; its ``state`` was compared.

        Raises:
            Unauthenticated: the provider does not accept the code or the verifier, or its ID token does
                not hold (signature, issuer, audience, nonce, time), or what it tells of the person is
                about somebody else or malformed.
            Unavailable: the provider does not answer, or what it answers is not of the protocol.
        """
        ...

    async def aclose(self) -> None:
        """Closes the connections to the provider."""
        ...
