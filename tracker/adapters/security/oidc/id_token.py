"""Whether an ID token holds (OpenID Connect Core 1.0, section 3.1.3.7)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from joserfc import jws, jwt
from joserfc.errors import ClaimError, JoseError
from joserfc.jwk import KeySet

from tracker.domain.errors import Unauthenticated

__all__ = ["ExpectedToken", "key_id_of"]

# Never by what a token says of itself: with "none" nobody signed, and with HS* everybody can who knows the
# public key.
_ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip
_LEEWAY_SECONDS = 30


class ExpectedToken(NamedTuple):
    """What must stand in the token."""

    issuer: str
    client_id: str
    nonce: str

    def claims(self, token: str, keys: KeySet) -> dict[str, Any]:
        """What the token says, once everything about it holds.

        Args:
            token: three pieces in base64url between dots.
            keys: the provider's.

        Raises:
            Unauthenticated: it does not hold; the sentence names the check.
        """
        registry = jws.JWSRegistry(algorithms=_ALGORITHMS, strict_check_header=False)
        with _refusing():
            claims = jwt.decode(token, keys, registry=registry).claims
            jwt.JWTClaimsRegistry(
                leeway=_LEEWAY_SECONDS,
                iss={"essential": True, "value": self.issuer},
                aud={"essential": True, "value": self.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
            ).validate(claims)
        self._check_party(claims)
        self._check_nonce(claims.get("nonce"))
        return claims

    def _check_party(self, claims: dict[str, Any]) -> None:
        party = claims.get("azp")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (party is None and several) or party not in (None, self.client_id):
            raise _does_not_hold("invalid_claim: azp")

    def _check_nonce(self, nonce: object) -> None:
        told = nonce.encode("utf-8", "surrogatepass") if isinstance(nonce, str) else b""
        if not secrets.compare_digest(told, self.nonce.encode()):
            raise _does_not_hold("invalid_claim: nonce")


def key_id_of(token: str) -> str | None:
    """By which key the token says that it was signed; nothing is verified yet.

    Raises:
        Unauthenticated: it is not a signed token.
    """
    with _refusing():
        key_id = jws.extract_compact(token.encode()).headers().get("kid")
    return key_id if isinstance(key_id, str) else None


@contextmanager
def _refusing() -> Iterator[None]:
    """Says the name of the check that failed, never what the token says."""
    try:
        yield
    except ClaimError as error:
        raise _does_not_hold(f"{error.error}: {error.claim}") from error
    except JoseError as error:
        raise _does_not_hold(error.error) from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _does_not_hold("unreadable") from error


def _does_not_hold(why: str) -> Unauthenticated:
    return Unauthenticated(f"the identity provider's ID token does not hold ({why})")
