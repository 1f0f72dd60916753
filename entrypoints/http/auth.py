"""Who asks. Until there are accounts: the one local user, and only from this machine."""

from __future__ import annotations

import re

import falcon.asgi

from tracker.domain.errors import Forbidden
from tracker.domain.identity.actor import LOCAL_USER, Actor

__all__ = ["actor_of", "is_loopback"]

_LOCAL_ACTOR = Actor(user_id=LOCAL_USER, is_superuser=True)
_LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_PROXY_HEADERS = frozenset((b"forwarded", b"x-forwarded-for", b"x-real-ip"))


def is_loopback(address: str) -> bool:
    """Whether only programs on this machine can connect from, or to, this address."""
    return address in ("::1", "localhost") or address.removeprefix("::ffff:").startswith("127.")


def actor_of(req: falcon.asgi.Request) -> Actor:
    """The actor of a request.

    Raises:
        Forbidden: it came from another machine, through a proxy, or under a foreign host name, as
            the requests of a web page do that rebinds its name to 127.0.0.1.
    """
    client = req.scope.get("client")
    if client is not None and not is_loopback(client[0]):
        raise Forbidden("this server answers only requests from its own machine")
    if not _PROXY_HEADERS.isdisjoint(name for name, _ in req.scope["headers"]):
        raise Forbidden("this server answers no requests that came through a proxy")
    if not _LOCAL_HOST.fullmatch(req.get_header("host") or ""):
        raise Forbidden("the Host header must be localhost, 127.0.0.1 or [::1]")
    return _LOCAL_ACTOR
