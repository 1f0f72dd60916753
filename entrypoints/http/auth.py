"""Who asks: the one local user of this machine, or whoever shows credentials."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Protocol

import falcon.asgi

from tracker.domain.errors import Forbidden, TrackerError, Unauthenticated
from tracker.domain.identity.actor import Actor, local_actor
from tracker.domain.identity.callers.service import CallerService
from tracker.domain.identity.tokens.api_token import parse_api_token
from tracker.domain.ids import ApiTokenId

from .metering import Meter

__all__ = ["Door", "LocalDoor", "TeamDoor", "address_of", "bearer_of", "is_loopback"]

_log = logging.getLogger("tracker.http")

_LOCAL_ACTOR = local_actor("local")
_LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_PROXY_HEADERS = frozenset((b"forwarded", b"x-forwarded-for", b"x-real-ip"))
_FAILURES_A_MINUTE = 120
_FAILURES_A_MINUTE_OF_TOKEN = 20


def is_loopback(address: str) -> bool:
    """Whether only programs on this machine can connect from, or to, this address."""
    return address in ("::1", "localhost") or address.removeprefix("::ffff:").startswith("127.")


def address_of(req: falcon.asgi.Request) -> str:
    """From where a request comes: an address, or nothing for a socket file."""
    client = req.scope.get("client")
    return str(client[0]) if client else ""


def bearer_of(req: falcon.asgi.Request) -> str | None:
    """The token of the ``Authorization`` header, if it shows one."""
    scheme, _, token = (req.get_header("authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


class Door(Protocol):
    """Decides who may come in."""

    async def admit(self, req: falcon.asgi.Request) -> Actor:
        """The actor of a request.

        Raises:
            Forbidden: it may not be answered at all.
            Unauthenticated: it shows no credentials that hold.
            TooManyRequests: it comes too often.
        """
        ...


class LocalDoor:
    """Lets in what comes from this machine, as its one user."""

    async def admit(self, req: falcon.asgi.Request) -> Actor:
        """The local user.

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


class TeamDoor:
    """Lets in who shows a session token or an API token.

    Args:
        callers: knows whose they are.
        requests_per_minute: how many one token may send to this process.
    """

    def __init__(self, callers: CallerService, requests_per_minute: int) -> None:
        self._callers = callers
        self._requests = Meter(requests_per_minute, "requests")
        self._failures = Meter(_FAILURES_A_MINUTE, "tokens that do not hold")
        self._guesses = Meter(_FAILURES_A_MINUTE_OF_TOKEN, "wrong secrets of this API token")
        self._noting: dict[ApiTokenId, asyncio.Task[None]] = {}

    async def admit(self, req: falcon.asgi.Request) -> Actor:
        """Whose credentials the request shows. See :class:`Door` for what it raises."""
        token = bearer_of(req)
        if token is None:
            raise Unauthenticated("show a token: Authorization: Bearer ...")
        address = address_of(req)
        try:
            caller = await self._callers.identify(token, address=address)
        except Unauthenticated:
            # Only they are refused for it: whoever shares their address may have a token that holds.
            self._failures.spend(address)
            guessed = parse_api_token(token)
            if guessed is not None:
                self._guesses.spend(guessed[0])  # from however many addresses
            raise
        actor = caller.actor
        self._requests.spend(actor.api_token_id or actor.user_id)
        used = caller.used_token
        if used is not None and used not in self._noting:  # a burst notes it once
            self._noting[used] = asyncio.create_task(self._note(used))
        return actor

    async def _note(self, token_id: ApiTokenId) -> None:
        """Beside the request: a busy database must not make it wait, nor fail it."""
        try:
            await self._callers.note_use(token_id)
        except TrackerError as error:
            _log.warning("the use of an API token could not be noted: %s", error.detail)
        finally:
            del self._noting[token_id]
