"""The one place where errors become answers."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

import falcon
import falcon.asgi
from pydantic.alias_generators import to_camel

from tracker.domain.errors import (
    AlreadyRegistered,
    BadCode,
    BadCredentials,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    QuerySyntax,
    TooLarge,
    TooManyRequests,
    TrackerError,
    Unauthenticated,
    Unavailable,
)
from tracker.domain.evaluation.refusals import (
    MISSING_EVALUATION,
    MISSING_EXAMPLES,
    MISSING_PROMPT,
    MISSING_SECRET,
    WORKFLOW_IS_RUNNING,
)

from .media import encoded
from .schemas.answers import FieldProblemOut, ProblemOut

__all__ = ["STATUSES", "UNKNOWN_TASK", "answer_error"]

UNKNOWN_TASK = "unknown_task"

STATUSES: Mapping[type[TrackerError], int] = {
    BadCredentials: 400,
    BadCode: 400,
    AlreadyRegistered: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    Invalid: 422,
    TooManyRequests: 429,
    Unavailable: 503,
}
"""Family of errors -> status; a kind is answered as its nearest ancestor here."""

_FALCON_CODES = {
    404: "not_found",
    405: "method_not_allowed",
    408: "body_too_slow",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    501: "not_implemented",
}
_WIRE_NAMES = {"digest": "hash", "parent_id": "parentExperimentId", "position": "order"}
_KINDS: Mapping[str, int] = {
    MISSING_EXAMPLES: 403,
    MISSING_EVALUATION: 400,
    MISSING_SECRET: 400,
    MISSING_PROMPT: 400,
    UNKNOWN_TASK: 400,
    WORKFLOW_IS_RUNNING: 400,
}
"""Kind of the first problem of an ``Invalid`` -> the status by which clients of evaluations know it."""

_EDGES = frozenset({"body", "path", "query"})

_SNAKE_CASE = ("/api/scalars/", "/api/v1/")

_log = logging.getLogger("tracker.http")


async def answer_error(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, error: Exception, params: dict[str, object]
) -> None:
    """Answers any exception: the expected ones with their sentence, others with an id only."""
    resp.content_type = falcon.MEDIA_JSON
    if isinstance(error, falcon.HTTPError):
        resp.status = error.status_code
        resp.set_headers(error.headers or {})
        code = _FALCON_CODES.get(error.status_code, "bad_request")
        problem: ProblemOut = {"detail": _sentence(error, req), "code": code}
    elif isinstance(error, TrackerError):
        resp.status = _status(error)
        problem = {"detail": error.detail, "code": error.code}
        if isinstance(error, Invalid):
            problem["errors"] = [_field(each, req) for each in error.problems]
        if isinstance(error, QuerySyntax):
            problem["column"] = error.column
        if isinstance(error, Unauthenticated):
            resp.set_header("WWW-Authenticate", "Bearer")
        if isinstance(error, Unavailable | TooManyRequests):
            resp.set_header("Retry-After", str(math.ceil(error.retry_after)))
        if isinstance(error, Unavailable):
            _log.warning("%s", error.detail, extra={"request_id": req.context.request_id})
    else:
        resp.status = 500
        request_id = req.context.request_id
        _log.error("unexpected error", exc_info=error, extra={"request_id": request_id})
        detail = f"an unexpected error, logged under request {request_id}"
        problem = {"detail": detail, "code": "internal", "requestId": request_id}
    resp.data = encoded(problem)


def _status(error: TrackerError) -> int:
    if isinstance(error, Invalid) and error.problems and error.problems[0].type in _KINDS:
        return _KINDS[error.problems[0].type]
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 500)


def _sentence(error: falcon.HTTPError, req: falcon.asgi.Request) -> str:
    if error.description:
        return error.description
    if error.status_code == 404:
        return "there is nothing at this path; /api/docs lists what there is"
    if error.status_code == 405:
        return f"{req.method} is not allowed here"
    return error.title or "the request cannot be understood"


def _field(problem: Problem, req: falcon.asgi.Request) -> FieldProblemOut:
    """A wrong field under its name on the wire; the domain's own rules name its own fields."""
    loc, where = problem.loc, "query" if req.method == "GET" else "body"
    if loc and loc[0] not in _EDGES:
        first = str(loc[0])
        if not req.path.startswith(_SNAKE_CASE):
            # Of one thing of many, the second name is a field's too: experiments, 3, parentExperimentId.
            of_many = len(loc) > 2 and isinstance(loc[1], int)
            loc = (
                (_wire_name(first), *loc[1:2], _wire_name(str(loc[2])), *loc[3:])
                if of_many
                else (_wire_name(first), *loc[1:])
            )
        loc = (where, *loc)
    return {"loc": list(loc or (where,)), "msg": problem.msg, "type": problem.type}


def _wire_name(name: str) -> str:
    return _WIRE_NAMES.get(name) or to_camel(name)
