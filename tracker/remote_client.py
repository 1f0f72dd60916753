"""One HTTP connection pool to a server, speaking the domain's errors."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import IO, Any
from urllib.parse import urlencode

import httpx

from tracker import octets
from tracker.domain.errors import (
    AlreadyExists,
    AlreadyRegistered,
    BadCode,
    BadCredentials,
    Conflict,
    Forbidden,
    Invalid,
    InvalidTransition,
    LineageCycle,
    NotFound,
    Problem,
    QuerySyntax,
    SchemaMismatch,
    StaleVersion,
    TooLarge,
    TooManyRequests,
    TrackerError,
    Unauthenticated,
    Unavailable,
)
from tracker.domain.scalars.batch import ScalarBatch
from tracker.domain.scalars.series import SampledSeries
from tracker.scalars_wire import MSGPACK, batch_body, pack
from tracker.trust import trust_for

__all__ = ["Client", "error_of"]

_BY_CODE: dict[str, type[TrackerError]] = {
    kind.code: kind
    for kind in (
        AlreadyExists, AlreadyRegistered, BadCode, BadCredentials, Conflict, Forbidden, InvalidTransition,
        LineageCycle, NotFound, SchemaMismatch, StaleVersion, TooLarge, TooManyRequests, Unauthenticated,
        Unavailable,
    )
}  # fmt: skip
_BY_STATUS: dict[int, type[TrackerError]] = {
    401: Unauthenticated, 403: Forbidden, 404: NotFound, 409: Conflict, 413: TooLarge, 429: TooManyRequests,
}  # fmt: skip
_FIELDS = {"orderBy": "order_by"}
_WITHOUT_BODY = frozenset({202, 204})
_SECONDS = httpx.Timeout(30)
_UPLOAD_SECONDS = httpx.Timeout(30, read=600)  # a server answers when all of it is on its disk


class Client:
    """Sends requests below ``/api`` and raises what the server's errors mean.

    Args:
        url: address of the server.
        token: bearer token, if it wants one.
    """

    def __init__(self, url: str, token: str | None) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        try:
            address = httpx.URL(url.rstrip("/") + "/api")
            self._http = httpx.AsyncClient(
                base_url=address, headers=headers, timeout=_SECONDS, verify=trust_for(address)
            )
        except (httpx.InvalidURL, UnicodeError) as error:
            raise Invalid.field("url", f"{url!r} is not an address: {error}") from error
        if address.scheme not in ("http", "https") or not address.host or not _is_port(address.port):
            raise Invalid.field("url", f"{url!r} is not an address such as http://127.0.0.1:8000")
        self._url = str(address.copy_with(userinfo=b"")).removesuffix("/api")  # it is told in errors

    async def get(self, path: str, query: dict[str, Any] | None = None) -> Any:
        """The answer to GET."""
        return await self._send("GET", path, query=query)

    async def post(self, path: str, body: Any) -> Any:
        """The answer to POST."""
        return await self._send("POST", path, body)

    async def get_columns(self, path: str, query: dict[str, Any]) -> tuple[SampledSeries, ...]:
        """The series that GET answers as typed columns."""
        headers = {"Accept": "application/octet-stream", "Accept-Encoding": "identity"}
        answer = await self._exchange("GET", path, query=query, headers=headers)
        try:
            return octets.read(answer.content)[0]
        except ValueError as error:
            raise Unavailable(f"{answer.url} answers something that is no columns: {error}") from error

    async def post_columns(self, path: str, batch: ScalarBatch) -> None:
        """Sends the columns of a batch."""
        await self._exchange("POST", path, pack(batch_body(batch)), headers={"Content-Type": MSGPACK})

    async def post_packed(self, path: str, body: object) -> Any:
        """The answer to POST of msgpack that has bytes in it."""
        headers = {"Content-Type": MSGPACK}
        return _content(await self._exchange("POST", path, pack(body), headers=headers, takes_long=True))

    async def form(self, path: str, fields: dict[str, str]) -> Any:
        """The answer to POST of a form."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return _content(await self._exchange("POST", path, urlencode(fields), headers=headers))

    async def post_file(self, path: str, query: dict[str, Any], file: IO[bytes] | bytes) -> Any:
        """The answer to POST of a form with a file, which is read as it is sent."""
        files = {"file": ("file", file)}
        return _content(
            await self._exchange("POST", path, query=query, headers={}, files=files, takes_long=True)
        )

    async def stream(self, path: str, query: dict[str, Any]) -> AsyncIterator[bytes]:
        """The bytes that GET answers, as they come."""
        with self._translated():
            async with self._http.stream(
                "GET", path, params=query, headers={"Accept-Encoding": "identity"}
            ) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise error_of(answer)
                async for chunk in answer.aiter_bytes():
                    yield chunk

    async def patch(self, path: str, body: Any) -> Any:
        """The answer to PATCH."""
        return await self._send("PATCH", path, body)

    async def delete(self, path: str, body: Any = None, query: dict[str, Any] | None = None) -> Any:
        """The answer to DELETE."""
        return await self._send("DELETE", path, body, query)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _send(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, Any] | None = None,
    ) -> Any:
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            content = None if body is None else json.dumps(body, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise Invalid(f"cannot be written as JSON: {error}") from error
        return _content(await self._exchange(method, path, content, query=query, headers=headers))

    async def _exchange(
        self,
        method: str,
        path: str,
        content: str | bytes | None = None,
        *,
        query: dict[str, Any] | None = None,
        headers: dict[str, str],
        files: dict[str, tuple[str, IO[bytes] | bytes]] | None = None,
        takes_long: bool = False,
    ) -> httpx.Response:
        with self._translated():
            answer = await self._http.request(
                method, path, content=content, headers=headers, params=query, files=files,
                timeout=_UPLOAD_SECONDS if takes_long else _SECONDS,
            )  # fmt: skip
        if answer.is_success:
            return answer
        raise error_of(answer)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise Unavailable(f"the server at {self._url} does not answer: {why}") from error
        except UnicodeError as error:
            raise Invalid("text must not contain lone surrogates") from error


def _is_port(port: int | None) -> bool:
    return port is None or 0 < port < 65536


def _content(answer: httpx.Response) -> Any:
    return None if answer.status_code in _WITHOUT_BODY else _json(answer)


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise Unavailable(f"{answer.url} answers something that is not JSON") from error


def error_of(answer: httpx.Response) -> TrackerError:
    """What a refusal of a server means."""
    if answer.is_redirect:  # not followed: whoever it leads to must not get the token
        place = answer.headers["location"]
        asked = answer.url.copy_with(userinfo=b"")
        return Unavailable(f"{asked} sends its callers to {place}; give that address")
    try:
        told = answer.json()
    except ValueError:
        told = None
    problem: dict[str, Any] = told if isinstance(told, dict) else {}
    detail = str(problem.get("detail") or f"the server answered {answer.status_code}")
    code = problem.get("code")
    kind = _BY_CODE.get(str(code)) or _BY_STATUS.get(answer.status_code)
    if kind is not None and issubclass(kind, Unavailable | TooManyRequests):
        return kind(detail, _retry_after(answer))
    if kind is not None:
        return kind(detail)
    if code == QuerySyntax.code:
        (wrong,) = problem["errors"]
        return QuerySyntax(wrong["msg"], problem["column"], _FIELDS.get(wrong["loc"][-1], wrong["loc"][-1]))
    if answer.status_code >= 500:
        return Unavailable(detail, _retry_after(answer))
    problems = [
        Problem(tuple(each["loc"]), each["msg"], each["type"]) for each in problem.get("errors") or ()
    ]
    return Invalid(detail, problems)


def _retry_after(answer: httpx.Response) -> float:
    try:
        return float(answer.headers.get("retry-after", 1))
    except ValueError:  # a date, which this API never gives
        return 1.0
