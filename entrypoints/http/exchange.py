"""One request and its answer, between Falcon and a resource."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import parse_qs
from uuid import UUID

import falcon
import falcon.asgi
from pydantic import BaseModel, ValidationError

from tracker.domain.errors import Invalid, Problem
from tracker.domain.frozen import invalid_from
from tracker.domain.identity.actor import Actor

from .media import JSON, chosen, decoded, written
from .schemas.answers import NoQuery

if TYPE_CHECKING:
    from .routes import Route

__all__ = ["NOT_MODIFIED", "Call", "responder"]

Body = TypeVar("Body")
Query = TypeVar("Query")
Responder = Callable[..., Awaitable[None]]

NOT_MODIFIED = 304


@dataclass(slots=True)
class Call(Generic[Body, Query]):
    """What a resource is asked, already validated.

    Attributes:
        actor: who asks.
        path: the ids in the path, by their names in the template.
        body: the request's body by the route's schema.
        query: its query parameters by the route's schema.
        status: of the answer, where the resource wants another one than the route's.
        media: type of the answer, of those that the route can give.
        known: the ``If-None-Match`` header: what the caller has already.
        headers: more headers of the answer.
    """

    actor: Actor
    path: dict[str, UUID]
    body: Body
    query: Query
    status: int | None = None
    media: str = JSON
    known: str | None = None
    headers: dict[str, str] | None = None


def responder(route: Route, resource: object, max_body: int) -> Responder:
    """The Falcon responder that serves `route` by its method of `resource`."""
    handle: Callable[[Call[Any, Any]], Awaitable[object]] = getattr(resource, route.responder)

    async def respond(req: falcon.asgi.Request, resp: falcon.asgi.Response, **path: str) -> None:
        ids = {name: _path_id(name, value) for name, value in path.items()}
        query = _query(route.query, req.query_string)
        body = None if route.body is None else await _body(route.body, req, max_body, route.takes)
        call = Call(req.context.actor, ids, body, query, media=route.media)
        if route.gives:
            call.media = chosen(req, (route.media, *route.gives))
            call.known = req.get_header("if-none-match")
        answer = await handle(call)
        resp.status = call.status or route.status
        if call.headers:
            resp.set_headers(call.headers)
        if call.status == NOT_MODIFIED:
            return
        resp.content_type = call.media
        resp.data = written(answer, call.media)

    return respond


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


async def _body(
    schema: type[BaseModel], req: falcon.asgi.Request, limit: int, takes: tuple[str, ...]
) -> BaseModel:
    media = (req.content_type or "").partition(";")[0].strip().lower()
    if media not in takes:
        raise falcon.HTTPUnsupportedMediaType(description=f"the body must be {' or '.join(takes)}")
    return _validated(schema, decoded(await _read(req, limit), media), "body")


async def _read(req: falcon.asgi.Request, limit: int) -> bytes:
    if (req.content_length or 0) > limit:
        raise falcon.HTTPContentTooLarge(description=f"the body is larger than {limit} bytes")
    raw = await req.stream.read(limit + 1)  # a chunked body does not tell its length before
    if len(raw) > limit:
        raise falcon.HTTPContentTooLarge(description=f"the body is larger than {limit} bytes")
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
