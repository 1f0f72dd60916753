"""What every request passes: identity, request id, CORS, compression and the access log.

One Falcon middleware on purpose: each more would cost two awaits a request.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import re
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial

import falcon
import falcon.asgi

from tracker.adapters.system.random_bits import RandomBits
from tracker.domain.identity.actor import Actor

from .auth import Door
from .media import MSGPACK, OCTETS

__all__ = ["Gate"]

_access = logging.getLogger("tracker.access")

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_GZIP_FROM = 1024
_COLUMNS = frozenset((OCTETS, MSGPACK))  # hardly shrink in the time it takes
_GZIP_IN_THREAD_FROM = 64 * 1024
_ALLOWED_METHODS = "GET, POST, PUT, PATCH, DELETE"
_ALLOWED_HEADERS = "Authorization, Content-Type, X-Request-ID"


class Gate:
    """Falcon middleware around every request.

    Args:
        door: decides who may come in.
        public: (method, path) of what is answered to strangers too.
        unguarded: beginnings of paths whose routes look at other credentials by themselves.
        allowed_origins: exact web origins whose pages may call the API.
        refused: is told who was forbidden to change what, for the audit log.
        links: beginnings of paths of which the rest is a credential, which no log shows.
    """

    def __init__(
        self,
        door: Door,
        public: Collection[tuple[str, str]],
        unguarded: Sequence[str],
        allowed_origins: Collection[str],
        refused: Callable[[Actor, str, str], Awaitable[None]],
        *,
        links: Sequence[str],
    ) -> None:
        self._door = door
        self._public = frozenset(public)
        self._unguarded = tuple(unguarded)
        self._links = tuple(links)
        self._refused = refused
        self._random = RandomBits()
        self._origins = frozenset(allowed_origins)

    async def process_request(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Names the request, answers preflights, and finds out who asks."""
        req.context.started = time.perf_counter()
        wanted = req.get_header("x-request-id")
        sane = wanted is not None and _SANE_ID.fullmatch(wanted)
        req.context.request_id = wanted if sane else f"{self._random.next64():016x}"
        req.context.actor = None
        if req.method == "OPTIONS" and self._origins and self._is_preflight(req):
            resp.set_headers(
                {
                    "Access-Control-Allow-Methods": _ALLOWED_METHODS,
                    "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
                    "Access-Control-Max-Age": "600",
                }
            )
            resp.status = 204
            resp.complete = True
        elif (req.method, req.path) not in self._public and not req.path.startswith(self._unguarded):
            req.context.actor = await self._door.admit(req)

    async def process_response(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, resource: object, succeeded: bool
    ) -> None:
        """Finishes the headers, compresses, and writes the access log."""
        resp.set_header("X-Request-ID", req.context.request_id)
        if self._origins:
            self._allow_origin(req, resp)
        data = resp.data
        if data is not None and len(data) >= _GZIP_FROM and resp.content_type not in _COLUMNS:
            resp.append_header("Vary", "Accept-Encoding")
            if _takes_gzip(req.get_header("accept-encoding")):
                resp.data = await _compressed(data)
                resp.set_header("Content-Encoding", "gzip")
        if resp.status_code == 403 and req.method != "GET" and req.context.actor is not None:
            resp.schedule(partial(self._refused, req.context.actor, req.method, req.path))
        if _access.isEnabledFor(logging.INFO):
            self._write_log(req, resp)

    def _is_preflight(self, req: falcon.asgi.Request) -> bool:
        return (
            req.get_header("origin") in self._origins
            and req.get_header("access-control-request-method") is not None
        )

    def _allow_origin(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.append_header("Vary", "Origin")
        origin = req.get_header("origin")
        if origin in self._origins:
            resp.set_header("Access-Control-Allow-Origin", origin)
            resp.set_header("Access-Control-Expose-Headers", "X-Request-ID, Retry-After, Location, X-Kept")

    def _write_log(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        milliseconds = (time.perf_counter() - req.context.started) * 1000
        status = resp.status_code
        path = next((f"{each}..." for each in self._links if req.path.startswith(each)), req.path)
        path = path if path.isprintable() else repr(path)  # a line break would begin a false line
        # The query is left out: it may carry what people search for.
        _access.info(
            "%s %s %d %.1f ms", req.method, path, status, milliseconds,
            extra={
                "request_id": req.context.request_id, "method": req.method, "path": path,
                "status": status, "milliseconds": round(milliseconds, 2),
            },
        )  # fmt: skip


def _takes_gzip(accept: str | None) -> bool:
    """Whether an ``Accept-Encoding`` header lets us send gzip."""
    for offer in (accept or "").lower().split(","):
        coding, _, weight = offer.partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


async def _compressed(data: bytes) -> bytes:
    if len(data) < _GZIP_IN_THREAD_FROM:
        return gzip.compress(data, compresslevel=4, mtime=0)
    return await asyncio.to_thread(gzip.compress, data, 4, mtime=0)
