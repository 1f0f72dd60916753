"""The person that claims are about (OpenID Connect Core 1.0, section 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.domain.errors import Unauthenticated
from tracker.domain.identity.sign_in.external import ExternalIdentity
from tracker.domain.text import storable

__all__ = ["is_told_in_full", "person_of"]

Claims = Mapping[str, Any]

_LONGEST = 255  # ASCII characters of a subject, by the specification; names and addresses need no more


def is_told_in_full(claims: Claims, groups_claim: str) -> bool:
    """Whether the ID token alone is enough."""
    return claims.get("email") is not None and claims.get(groups_claim) is not None


def person_of(issuer: str, token: Claims, userinfo: Claims, groups_claim: str) -> ExternalIdentity:
    """Who it is, by the ID token, and by userinfo for what the token leaves out.

    Whether an address is verified is taken from where the address is.

    Raises:
        Unauthenticated: a claim is not of its form.
    """
    mail = token if token.get("email") is not None else userinfo
    verified = mail.get("email_verified")
    named = token if token.get("name") is not None else userinfo
    grouped = token if token.get(groups_claim) is not None else userinfo
    return ExternalIdentity(
        issuer=issuer,
        subject=_text("sub", token["sub"]),
        email=_optional_text("email", mail.get("email")),
        email_verified=verified is True or verified == "true",  # Amazon Cognito sends the word
        name=_optional_text("name", named.get("name")),
        groups=_groups(groups_claim, grouped.get(groups_claim)),
    )


def _groups(name: str, value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):  # some providers send the only one bare
        value = [value]
    if not isinstance(value, list):
        raise _malformed(name)
    return tuple(_text(name, each) for each in value)


def _optional_text(name: str, value: object) -> str | None:
    return None if value in (None, "") else _text(name, value)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise _malformed(name)
    try:
        return storable(value)
    except ValueError as error:
        raise _malformed(name) from error


def _malformed(name: str) -> Unauthenticated:
    return Unauthenticated(f"the identity provider's claim {name} is not text of 1 to {_LONGEST} characters")
