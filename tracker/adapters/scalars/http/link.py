"""One pool of connections to a scalars service: retries, deadlines and the breaker."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from tracker.adapters.scalars.http.breaker import Breaker
from tracker.domain.errors import Conflict, Invalid, NotFound, TooManyRequests, Unavailable
from tracker.scalars_wire import MSGPACK, pack, unpack
from tracker.trust import trust_for

__all__ = ["Link", "Patience"]

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout)
_TIMED_OUT = (httpx.ReadTimeout, httpx.WriteTimeout)
_CONNECTIONS = 24


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call may take and how often it is tried, in seconds.

    Attributes:
        connect: for one connection.
        probe: to find out whether the service answers again.
        read, write: for a call with all its tries.
        tries: at most so many.
        backoff: the wait before the second try; it doubles, and each is shortened by chance.
    """

    connect: float = 2.0
    probe: float = 1.0
    read: float = 10.0
    write: float = 15.0
    tries: int = 4
    backoff: float = 0.05


@dataclass(slots=True)
class _Line:
    """Where a call stands in line with others of ours.

    Attributes:
        sent: when its turn came, in the loop's time; ``None`` = it waits.
    """

    sent: float | None = None


class Link:
    """Sends requests below the service's address and raises what its errors mean.

    Args:
        url: the service's address, with or without its prefix ``/api``.
        key: the shared key, sent as a bearer.
        patience: limits of time.
        breaker: opened by calls that get no answer.

    Raises:
        Invalid: `url` is no address of an HTTP server.
    """

    def __init__(self, url: str, key: str | None, patience: Patience, breaker: Breaker) -> None:
        # Columns do not shrink enough to be worth the time that compressing them takes.
        headers = {"Accept": f"{MSGPACK}, application/json;q=0.5", "Accept-Encoding": "identity"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        address = _address(url)
        self.shown = f"{address.scheme}://{address.netloc.decode()}"
        self.patience = patience
        self.breaker = breaker
        self._http = httpx.AsyncClient(
            base_url=address,
            headers=headers,
            verify=trust_for(address),
            timeout=httpx.Timeout(None, connect=patience.connect),
            limits=httpx.Limits(max_connections=_CONNECTIONS + 1),  # one for a probe
        )
        # Calls wait here rather than in the pool, which looks through all that wait whenever one is done.
        self._slots = asyncio.Semaphore(_CONNECTIONS)

    async def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """The answer to GET."""
        return await self._within(self.patience.read, "GET", path, query=query)

    async def post(
        self,
        path: str,
        body: object,
        *,
        writes: bool = False,
        repeatable: bool = True,
        seconds: float | None = None,
    ) -> Any:
        """The answer to POST.

        Args:
            path: below the prefix.
            body: what msgpack can carry.
            writes: whether it has the time of a write.
            repeatable: whether it may be sent again when nobody knows if the first one arrived.
            seconds: it may take, instead of a read's or a write's.
        """
        limit = seconds or (self.patience.write if writes else self.patience.read)
        return await self._within(limit, "POST", path, body=pack(body), repeatable=repeatable)

    async def delete(self, path: str) -> Any:
        """The answer to DELETE."""
        return await self._within(self.patience.write, "DELETE", path)

    async def probe(self, path: str) -> httpx.Response:
        """What GET answers, whatever it is, in one quick try.

        Raises:
            Unavailable: nothing.
        """
        try:
            async with asyncio.timeout(self.patience.probe):
                return await self._http.get(path)
        except (httpx.RequestError, TimeoutError) as error:
            raise self._no_answer(error) from error

    @contextmanager
    def legible(self) -> Iterator[None]:
        """Around whatever takes an answer to pieces: one of another shape is ``Unavailable``."""
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError, Invalid) as error:
            raise self._illegible(error) from error

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _within(self, seconds: float, method: str, path: str, **how: Any) -> Any:
        line = _Line()
        try:
            async with asyncio.timeout(seconds) as deadline:
                return await self._tried(method, path, line, until=deadline.when() or 0.0, **how)
        except TimeoutError as error:
            spent = 0.0 if line.sent is None else asyncio.get_running_loop().time() - line.sent
            if spent < seconds / 2:  # most of it in line, which says nothing of the service
                self.breaker.require_closed()
                raise TooManyRequests("too many calls of the scalars service at once", 0.5) from error
            self.breaker.trip()
            raise self._no_answer(error) from error

    async def _tried(
        self,
        method: str,
        path: str,
        line: _Line,
        *,
        until: float,
        query: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        repeatable: bool = True,
    ) -> Any:
        headers = {} if body is None else {"Content-Type": MSGPACK}
        for left in reversed(range(self.patience.tries)):
            wait = self._pause(left)
            try:
                line.sent = None
                async with self._slots:
                    line.sent = asyncio.get_running_loop().time()
                    answer = await self._http.request(
                        method, path, params=query, content=body, headers=headers
                    )
            except httpx.RequestError as error:
                self._note(error)
                if not left or not (repeatable or isinstance(error, _NEVER_SENT)):
                    raise self._no_answer(error) from error
            else:
                self._note(answer)
                refused = answer.status_code in (429, 503)
                if not left or not (refused or (answer.status_code >= 500 and repeatable)):
                    return self._content(answer)
                wait += _retry_after(answer) or 0.0
                if wait > (until - asyncio.get_running_loop().time()) / 2:
                    return self._content(answer)  # the caller had better come back than wait here
            await asyncio.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _pause(self, left: int) -> float:
        longest = self.patience.backoff * 2.0 ** (self.patience.tries - 1 - left)
        return random.uniform(longest / 2, longest)  # noqa: S311 - no secret

    def _note(self, outcome: httpx.Response | httpx.RequestError) -> None:
        """Tells the breaker; an answer that the service gave on purpose shows that it is alive."""
        if isinstance(outcome, httpx.Response) and (
            outcome.status_code < 500 or (outcome.status_code == 503 and "retry-after" in outcome.headers)
        ):
            self.breaker.succeeded()
        elif isinstance(outcome, _TIMED_OUT):
            self.breaker.trip()
        else:
            self.breaker.failed()

    def _no_answer(self, error: Exception) -> Unavailable:
        why = str(error) or type(error).__name__
        return Unavailable(f"the scalars service at {self.shown} does not answer: {why}")

    def _content(self, answer: httpx.Response) -> Any:
        if not answer.is_success:
            raise self._refusal(answer)
        try:
            if answer.headers.get("content-type", "").partition(";")[0] == MSGPACK:
                return unpack(answer.content)
            return answer.json()
        except ValueError as error:
            raise self._illegible(error) from error

    def _illegible(self, error: Exception) -> Unavailable:
        return Unavailable(f"the scalars service at {self.shown} answers what cannot be read: {error!r}")

    def _refusal(self, answer: httpx.Response) -> Exception:
        detail = _detail(answer)
        match answer.status_code:
            case 404:
                return NotFound(detail)
            case 409:
                return Conflict(detail)
            case 401 | 403:
                return Unavailable(f"the scalars service at {self.shown} refuses the key: {detail}")
            case 429:
                return TooManyRequests(detail, retry_after=_retry_after(answer) or 1.0)
            case status if status >= 500:
                return Unavailable(detail, retry_after=_retry_after(answer) or 1.0)
        return Invalid(detail)


def _address(url: str) -> httpx.URL:
    text = url.rstrip("/")
    try:
        address = httpx.URL(text if text.endswith("/api") else f"{text}/api")
    except (httpx.InvalidURL, UnicodeError) as error:
        raise Invalid.field("SCALARS_SERVICE_URL", f"{url!r} is not an address: {error}") from error
    if address.scheme not in ("http", "https") or not address.host:
        raise Invalid.field("SCALARS_SERVICE_URL", f"{url!r} is no address such as http://127.0.0.1:8001")
    return address


def _detail(answer: httpx.Response) -> str:
    try:
        told = unpack(answer.content) if MSGPACK in answer.headers.get("content-type", "") else answer.json()
    except ValueError:
        told = None
    detail = told.get("detail") if isinstance(told, dict) else None
    return str(detail or f"the scalars service answered {answer.status_code}")


def _retry_after(answer: httpx.Response) -> float | None:
    """Seconds; the header has them, or a date."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
