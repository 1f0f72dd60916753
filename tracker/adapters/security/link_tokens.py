"""Claims signed by HMAC-SHA-256 (RFC 2104), with nothing but the standard library."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime

from tracker.adapters.security.signing_keys import KeyFile, SigningKey
from tracker.domain.errors import Unauthenticated

__all__ = ["HmacSignedTokens"]

_LONGEST = 4096
_REFUSED = "the link is not valid, or has run out; ask for it again"


class HmacSignedTokens:
    """A :class:`~tracker.ports.secrets.SignedTokens` for installations of any kind: that of sessions needs an
    extra. A text is the claims and their signature, both in URL-safe base64.

    Args:
        keys: the first of them signs, all of them are accepted; the file is made at first use.
    """

    def __init__(self, keys: KeyFile) -> None:
        self._keys = keys

    def sign(self, audience: str, claims: Mapping[str, str | int], expires_at: datetime) -> str:
        """See the port."""
        if not self._keys.path.exists():
            self._keys.ensure(expires_at)
        key = next(iter(self._keys.keys().values()))
        said = {**claims, "aud": audience, "exp": int(expires_at.timestamp()), "kid": key.name}
        content = _encoded(json.dumps(said, separators=(",", ":")).encode())
        return f"{content}.{_encoded(_signature(key, content))}"

    def read(self, audience: str, text: str, now: datetime) -> Mapping[str, str | int]:
        """See the port."""
        content, dot, signature = text.partition(".")
        if not dot or len(text) > _LONGEST or not text.isascii() or not self._keys.path.exists():
            raise Unauthenticated(_REFUSED)
        try:
            # Before the signature is checked, no more is made of it than bytes that name a key.
            claims = json.loads(_decoded(content))
            key = self._keys.keys().get(str(claims["kid"]))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Unauthenticated(_REFUSED) from error
        # Compared as texts, of which there is one: base64 has several for some bytes.
        if key is None or not hmac.compare_digest(signature, _encoded(_signature(key, content))):
            raise Unauthenticated(_REFUSED)
        if claims["aud"] != audience or now.timestamp() >= claims["exp"]:
            raise Unauthenticated(_REFUSED)
        found: Mapping[str, str | int] = claims
        return found


def _signature(key: SigningKey, content: str) -> bytes:
    # With a text before it that no session token begins with: one is never taken for the other.
    return hmac.digest(key.secret, f"tracker-link-1\n{content}".encode(), hashlib.sha256)


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
