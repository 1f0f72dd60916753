"""Signed claims as JSON Web Tokens (RFC 7519), HMAC-SHA-256 only."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tracker.adapters.security.extra import from_extra
from tracker.adapters.security.signing_keys import KeyFile, SigningKey
from tracker.domain.errors import Unauthenticated

__all__ = ["JwtSignedTokens"]

_ALGORITHMS = ["HS256"]  # never by what a token says of itself
_LONGEST = 4096
_MOST_CHECKED = 4096
_REFUSED = "the session is not valid; log in again"


class JwtSignedTokens:
    """A :class:`~tracker.ports.secrets.SignedTokens` over a file of keys.

    A signature is checked once: what it was found to say is kept until the keys change.

    Args:
        keys: the first of them signs, all of them are accepted.
    """

    def __init__(self, keys: KeyFile) -> None:
        self._keys = keys
        self._known: Mapping[str, SigningKey] = {}
        self._checked: OrderedDict[str, Mapping[str, str | int]] = OrderedDict()

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
        known = self._keys.keys()
        if known is not self._known:
            self._known = known
            self._checked.clear()
        claims = self._checked.get(text)
        if claims is None:
            claims = self._checked[text] = self._claims(text)
            if len(self._checked) > _MOST_CHECKED:
                self._checked.popitem(last=False)
        expires = claims.get("exp")
        if not isinstance(expires, int) or now.timestamp() >= expires or claims.get("aud") != audience:
            raise Unauthenticated(_REFUSED)
        return claims

    def _claims(self, text: str) -> Mapping[str, str | int]:
        """What a text says that one of our keys signed."""
        with from_extra():
            from joserfc import jwt  # noqa: PLC0415
            from joserfc.errors import JoseError  # noqa: PLC0415
            from joserfc.jwk import OctKey  # noqa: PLC0415
        if len(text) > _LONGEST:
            raise Unauthenticated(_REFUSED)

        def named(token: Any) -> OctKey:
            key = self._known.get(str(token.headers().get("kid")))
            if key is None:
                raise Unauthenticated(_REFUSED)
            return OctKey.import_key(key.secret)

        try:
            claims: Mapping[str, str | int] = jwt.decode(text, named, algorithms=_ALGORITHMS).claims
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise Unauthenticated(_REFUSED) from error
        return claims
