"""What every request to the scalars service passes: the shared key, its id, the access log."""

from __future__ import annotations

import hmac
import logging
import time

import falcon.asgi

from tracker.adapters.system.random_bits import RandomBits
from tracker.domain.errors import Forbidden, Unauthenticated

__all__ = ["KeyGate"]

_access = logging.getLogger("tracker.access")
_OPEN = frozenset(("/", "/api/health"))
_LOCAL_NAMES = frozenset(("localhost", "127.0.0.1", "::1", "[::1]"))


class KeyGate:
    """Falcon middleware: lets in who shows the key.

    Args:
        key: what clients send as a bearer; ``None`` lets in every program of this machine, but no
            web page that rebinds its own name to it.
    """

    def __init__(self, key: str | None) -> None:
        self._key = key
        self._random = RandomBits()

    async def process_request(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Names the request and checks the key."""
        req.context.started = time.perf_counter()
        req.context.request_id = f"{self._random.next64():016x}"
        req.context.actor = None  # the tracker in front of the service knows who asks
        if self._key is None:
            if req.host not in _LOCAL_NAMES:
                raise Forbidden("without a key the Host header must be localhost, 127.0.0.1 or [::1]")
        elif req.path not in _OPEN and not self._fits(req.get_header("authorization") or ""):
            raise Unauthenticated("send the service's key: Authorization: Bearer SCALARS_SERVICE_KEY")

    async def process_response(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, resource: object, succeeded: bool
    ) -> None:
        """Finishes the headers and writes the access log."""
        resp.set_header("X-Request-ID", req.context.request_id)
        if _access.isEnabledFor(logging.INFO):
            milliseconds = (time.perf_counter() - req.context.started) * 1000
            _access.info(
                "%s %s %d %.1f ms", req.method, req.path, resp.status_code, milliseconds,
                extra={
                    "request_id": req.context.request_id, "method": req.method, "path": req.path,
                    "status": resp.status_code, "milliseconds": round(milliseconds, 2),
                },
            )  # fmt: skip

    def _fits(self, shown: str) -> bool:
        """Whether this is the key; takes a time that tells nothing of where they differ."""
        return hmac.compare_digest(shown.encode("utf-8", "surrogateescape"), f"Bearer {self._key}".encode())
