"""One request and its answer, between Falcon and a resource."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import parse_qs
from uuid import UUID

import falcon
import falcon.asgi
from pydantic import BaseModel, ValidationError

from tracker.domain.errors import Forbidden, Invalid, Problem, TooLarge, TrackerError, Unauthenticated
from tracker.domain.frozen import invalid_from
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import in_scopes

from .auth import Door, address_of, bearer_of
from .forms import BodyUpload, FormUpload
from .media import FORM, JSON, chosen, decoded, written
from .request import Request
from .route import Route, Scope
from .schemas.answers import NoQuery
from .streaming import Streamed, Upload, discard

__all__ = ["NOT_MODIFIED", "BodyLimits", "Call", "Cookie", "responder"]

_FRESH_SECONDS = 1.0

Body = TypeVar("Body")
Query = TypeVar("Query")
Responder = Callable[..., Awaitable[None]]

NOT_MODIFIED = 304
_WITHOUT_ACTOR = frozenset({Scope.PUBLIC, Scope.SERVICE, Scope.LINK, Scope.DESK})
_NO_CONTENT = 204


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that no script reads and no other site sends along, but a link from there.

    Attributes:
        path: below which it is sent back.
        seconds: it is kept; 0 removes it.
        secure: it travels by https only.
    """

    name: str
    value: str = field(repr=False)
    path: str
    seconds: int
    secure: bool


@dataclass(slots=True)
class Call(Generic[Body, Query]):
    """What a resource is asked, already validated.

    Attributes:
        actor: who asks; on a public route of a team's server nobody, so it must not be used there.
        path: the ids in the path, by their names in the template.
        words: what else stands in the path, by name.
        root: address under which the server was asked, such as ``https://host``.
        body: the request's body by the route's schema.
        query: its query parameters by the route's schema.
        address: from where it is asked.
        bearer: the token that was shown, if one was.
        cookies: by name.
        status: of the answer, where the resource wants another one than the route's.
        media: type of the answer, of those that the route can give.
        known: the ``If-None-Match`` header: what the caller has already.
        range: the ``Range`` header: which bytes are asked for.
        if_range: the ``If-Range`` header: of what these are wanted, and else the whole.
        upload: the file of a form, or the bytes of the body, on a route that takes one.
        headers: of the answer, beside the usual ones.
        cookie: that the answer sets.
        afterwards: what is to be done once the answer is sent.
    """

    actor: Actor
    path: dict[str, UUID]
    body: Body
    query: Query
    address: str = ""
    bearer: str | None = field(default=None, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    status: int | None = None
    media: str = JSON
    known: str | None = None
    range: str | None = None
    if_range: str | None = None
    upload: Upload | None = field(default=None, repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    cookie: Cookie | None = field(default=None, repr=False)
    words: dict[str, str] = field(default_factory=dict)
    root: str = ""
    afterwards: Callable[[], Awaitable[None]] | None = None

    @property
    def uploaded(self) -> Upload:
        """The file of the form; only where the route takes one."""
        if self.upload is None:
            raise RuntimeError("this route takes no file")
        return self.upload


class BodyLimits(NamedTuple):
    """What is taken of one request.

    Attributes:
        size: bytes.
        seconds: for which a body may be under way.
        file: bytes of an uploaded file.
        dataset: bytes of an uploaded dataset.
    """

    size: int
    seconds: float
    file: int = 0
    dataset: int = 0


def responder(route: Route, resource: object, door: Door | None, limits: BodyLimits) -> Responder:
    """The Falcon responder that serves `route` by its method of `resource`."""
    handle: Callable[[Call[Any, Any]], Awaitable[object]] = getattr(resource, route.responder)
    first: Callable[[Call[Any, Any]], Awaitable[object]] | None = (
        getattr(resource, route.first) if route.first else None
    )

    async def respond(req: falcon.asgi.Request, resp: falcon.asgi.Response, **path: str) -> None:
        actor = req.context.actor
        _check_scopes(actor, route)
        ids = {name: _path_id(name, value) for name, value in path.items() if name not in route.words}
        query = _query(route.query, req.query_string)
        call: Call[Any, Any] = Call(
            actor, ids, None, query, address_of(req), media=route.media, root=req.prefix
        )
        call.words = {name: path[name] for name in route.words}
        if route.shows_credentials:
            call.bearer, call.cookies = bearer_of(req), req.cookies
        if first is not None:
            await _looked(first, call, req)
        call.body = None if route.body is None else await _body(route, req, limits)
        if actor is not None and door is not None and _took_long(req):
            # The body took its time. Who asks may have lost meanwhile what they had when it began.
            call.actor = req.context.actor = await door.admit(req)
        if route.gives:
            call.media = chosen(req, (route.media, *route.gives))
            call.known = req.get_header("if-none-match")
        if route.ranges:
            call.known = req.get_header("if-none-match")
            call.range, call.if_range = req.get_header("range"), req.get_header("if-range")
        call.upload = _upload(route, req, limits)
        answer = await _handled(handle, call, req)
        if isinstance(answer, Streamed):
            answer.until(partial(_gone, req))
        _write(resp, call, route, answer)

    return respond


def _upload(route: Route, req: falcon.asgi.Request, limits: BodyLimits) -> Upload | None:
    """What comes piece by piece, on a route that takes such."""
    if route.form is not None:
        return FormUpload(req, limits.dataset, limits.seconds)
    if route.uploads:
        return Upload(req, limits.file, limits.seconds)
    return BodyUpload(req, limits.file, limits.seconds) if route.streams else None


async def _handled(
    handle: Callable[[Call[Any, Any]], Awaitable[object]], call: Call[Any, Any], req: falcon.asgi.Request
) -> object:
    try:
        return await handle(call)
    except TrackerError:
        if call.upload is not None:
            await discard(req)
        raise


async def _looked(
    first: Callable[[Call[Any, Any]], Awaitable[object]], call: Call[Any, Any], req: falcon.asgi.Request
) -> None:
    try:
        await first(call)
    except TrackerError:
        await discard(req)
        raise


async def _gone(req: falcon.asgi.Request) -> None:
    """Returns when the client is; what it still sends of a body that nobody wants is passed over."""
    while (await req._receive())["type"] != "http.disconnect":
        pass


def _took_long(req: falcon.asgi.Request) -> bool:
    return time.perf_counter() - float(req.context.started) > _FRESH_SECONDS


def _check_scopes(actor: Actor | None, route: Route) -> None:
    """Before anything is looked up, so that it says nothing of what there is."""
    if actor is None:
        if route.scope not in _WITHOUT_ACTOR:  # the gate let nobody in: nothing but a mistake of ours
            raise Unauthenticated("show a token: Authorization: Bearer ...")
    elif route.action is not None and not in_scopes(actor, route.action):
        raise Forbidden(f"this API token lacks the scope {route.action.value}")


def _write(resp: falcon.asgi.Response, call: Call[Any, Any], route: Route, answer: object) -> None:
    resp.status = call.status or route.status
    if call.headers:
        resp.set_headers(call.headers)
    if call.cookie is not None:
        cookie = call.cookie
        resp.set_cookie(
            cookie.name, cookie.value, max_age=cookie.seconds, path=cookie.path, secure=cookie.secure,
            http_only=True, same_site="Lax",
        )  # fmt: skip
    if call.afterwards is not None:
        resp.schedule(call.afterwards)
    if isinstance(answer, Streamed):
        resp.content_type = call.media
        resp.stream = answer  # type: ignore[assignment]
        if answer.length is not None:
            resp.content_length = answer.length
    elif answer is not None and call.status not in (NOT_MODIFIED, _NO_CONTENT):
        resp.content_type = call.media
        resp.data = written(answer, call.media)


def _path_id(name: str, value: str) -> UUID:
    try:
        if len(value) == 36:  # UUID() would also take braces, "urn:uuid:" and no hyphens
            return UUID(value)
    except ValueError:
        pass
    raise _at("path", Invalid.field(name, "must be a UUID in text form", "uuid_parsing"))


def _query(schema: type[BaseModel], text: str) -> BaseModel:
    if not text and schema is NoQuery:
        return _NO_QUERY
    try:
        fields = parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=2000)
    except ValueError as error:  # bytes that are not UTF-8, or too many fields
        raise Invalid(
            "the query string cannot be read", [Problem(("query",), str(error), "query")]
        ) from error
    given: dict[str, Any] = {}
    for name, values in fields.items():
        field = schema.model_fields.get(name)
        if field is not None and _is_list(field.annotation):
            given[name] = values
        elif len(values) == 1:
            given[name] = values[0]
        else:
            raise _at("query", Invalid.field(name, "stands more than once", "repeated"))
    return _validated(schema, given, "query")


_NO_QUERY = NoQuery()


def _is_list(annotation: object) -> bool:
    return getattr(annotation, "__origin__", None) is list


async def _body(route: Route, req: falcon.asgi.Request, limits: BodyLimits) -> BaseModel:
    schema: Any = route.body
    media = _media(route, req)
    if media not in route.takes:
        raise falcon.HTTPUnsupportedMediaType(description=f"the body must be {' or '.join(route.takes)}")
    try:
        if isinstance(req, Request) and req.is_whole:  # most are; a timer costs more than reading them
            raw = await _read(req, route.largest or limits.size)
        else:
            async with asyncio.timeout(limits.seconds):
                raw = await _read(req, route.largest or limits.size)
    except TimeoutError:
        raise falcon.HTTPError(
            falcon.HTTP_408, description="the body did not come in time", headers={"Connection": "close"}
        ) from None
    return _validated(schema, _form(raw) if media == FORM else decoded(raw, media), "body")


def _media(route: Route, req: falcon.asgi.Request) -> str:
    """The media type of a body; JSON where a client leaves it open, as SDKs do that send a text as it is.

    A browser is not believed: a page of anywhere can have it post bytes of no type without a preflight. It
    adds `Origin` to them, and most add `Sec-Fetch-Site`.
    """
    told = req.content_type
    if told is None and not any(req.get_header(name) for name in ("Origin", "Sec-Fetch-Site")):
        return JSON if JSON in route.takes else ""
    return (told or "").partition(";")[0].strip().lower()


def _form(raw: bytes) -> dict[str, str]:
    try:
        fields = parse_qs(
            raw.decode("ascii"), keep_blank_values=True, strict_parsing=bool(raw), errors="strict",
            max_num_fields=100,
        )  # fmt: skip
    except ValueError as error:
        problem = Problem(("body",), "is no form", "form")
        raise Invalid("the body cannot be read as a form", [problem]) from error
    for name, values in fields.items():
        if len(values) > 1:
            raise _at("body", Invalid.field(name, "stands more than once", "repeated"))
    return {name: value for name, (value,) in fields.items()}


async def _read(req: falcon.asgi.Request, limit: int) -> bytes:
    known = req.content_length or 0
    raw = b"" if known > limit else await req.stream.read(limit + 1)  # a chunked body tells no length before
    if max(known, len(raw)) > limit:
        await discard(req)
        raise TooLarge(f"the body is larger than {limit} bytes")
    return raw


def _validated(schema: type[BaseModel], content: object, where: str) -> BaseModel:
    try:
        model: BaseModel = schema.__pydantic_validator__.validate_python(content)
    except ValidationError as error:
        raise _at(where, invalid_from(error)) from error
    return model


def _at(where: str, error: Invalid) -> Invalid:
    problems = [Problem((where, *problem.loc), problem.msg, problem.type) for problem in error.problems]
    return Invalid(error.detail, problems)
