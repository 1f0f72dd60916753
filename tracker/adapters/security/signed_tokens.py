"""Signed claims as JSON Web Tokens (RFC 7519), HMAC-SHA-256 only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tracker.adapters.security.extra import from_extra
from tracker.adapters.security.signing_keys import KeyFile
from tracker.domain.errors import Unauthenticated

__all__ = ["JwtSignedTokens"]

_ALGORITHMS = ["HS256"]  # never by what a token says of itself
_LONGEST = 4096
_REFUSED = "the session is not valid; log in again"


class JwtSignedTokens:
    """A :class:`~tracker.ports.secrets.SignedTokens` over a file of keys.

    Args:
        keys: the first of them signs, all of them are accepted.
    """

    def __init__(self, keys: KeyFile) -> None:
        self._keys = keys

    def sign(self, audience: str, claims: Mapping[str, str | int], expires_at: datetime) -> str:
        """See the port."""
        with from_extra():
            from joserfc import jwt  # noqa: PLC0415
            from joserfc.jwk import OctKey  # noqa: PLC0415
        key = next(iter(self._keys.keys().values()))
        header = {"alg": "HS256", "kid": key.name, "typ": "JWT"}
        payload = {**claims, "aud": audience, "exp": math.floor(expires_at.timestamp())}
        return jwt.encode(header, payload, OctKey.import_key(key.secret), algorithms=_ALGORITHMS)

    def read(self, audience: str, text: str, now: datetime) -> Mapping[str, str | int]:
        """See the port."""
        with from_extra():
            from joserfc import jwt  # noqa: PLC0415
            from joserfc.errors import JoseError  # noqa: PLC0415
            from joserfc.jwk import OctKey  # noqa: PLC0415
        if len(text) > _LONGEST:
            raise Unauthenticated(_REFUSED)
        known = self._keys.keys()

        def named(token: Any) -> OctKey:
            key = known.get(str(token.headers().get("kid")))
            if key is None:
                raise Unauthenticated(_REFUSED)
            return OctKey.import_key(key.secret)

        try:
            claims = jwt.decode(text, named, algorithms=_ALGORITHMS).claims
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise Unauthenticated(_REFUSED) from error
        expires = claims.get("exp")
        if not isinstance(expires, int) or now.timestamp() >= expires or claims.get("aud") != audience:
            raise Unauthenticated(_REFUSED)
        return claims
