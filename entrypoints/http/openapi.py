"""The OpenAPI 3.1 document, from the table of routes and the schemas that validate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, TypeAdapter

from tracker.domain.evaluation.jobs.files import BY_WORKER, DATASET

from .api.health import version
from .forms import FormUpload
from .media import JSON, OCTETS
from .route import Route, Scope
from .schemas.answers import ProblemOut
from .streaming import FORM_DATA

__all__ = ["openapi"]

_REF = "#/components/schemas/{model}"
_SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A session token from a login, or an API token (`pat_...`)",
    }
}
_REFUSALS = {
    401: "No credentials, or none that hold",
    403: "Not allowed, not with this API token, or the request did not come from this machine",
    404: "Unknown, or the caller may not see it",
    409: "The present state does not allow it",
    413: "The body is too large",
    415: "The body is of a media type that this route does not take",
    422: "Does not validate; `errors` names each wrong field",
    429: "Too often; try again after `Retry-After` seconds",
    503: "Something behind the service does not answer; try again after `Retry-After` seconds",
}


def openapi(routes: Sequence[Route]) -> dict[str, Any]:
    """The document of these routes."""
    schemas, definitions = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tracker",
            "version": version(),
            "description": "Experiments, their metrics and their time series. Every error answers "
            "`{detail, code}`, and `errors` where fields are wrong. On a laptop the local user is let in "
            "without credentials.",
        },
        "paths": paths,
        "components": {"schemas": definitions, "securitySchemes": _SECURITY},
    }


def _schemas(routes: Iterable[Route]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """Each type's schema by (id of the type, mode), and the definitions they refer to."""
    inputs: list[tuple[Any, Any, TypeAdapter[Any]]] = []
    for route in routes:
        if route.answer is not None:
            inputs.append((id(route.answer), "serialization", TypeAdapter(route.answer)))
        if route.body is not None:
            inputs.append((id(route.body), "validation", TypeAdapter(route.body)))
        inputs.append((id(route.query), "validation", TypeAdapter(route.query)))
    inputs.append((id(ProblemOut), "serialization", TypeAdapter(ProblemOut)))
    unique = {(key, mode): (key, mode, adapter) for key, mode, adapter in inputs}
    schemas, document = TypeAdapter.json_schemas(list(unique.values()), ref_template=_REF)
    return dict(schemas), document["$defs"]


def _operation(route: Route, schemas: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "tags": [_tag(route)],
        "responses": _responses(route, schemas),
    }
    parameters = [_path_parameter(name, route) for name in _path_names(route)] + _query_parameters(
        route.query
    )
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        content = {media: {"schema": schemas[(id(route.body), "validation")]} for media in route.takes}
        operation["requestBody"] = {"required": True, "content": content}
    if route.uploads:
        operation["requestBody"] = {"required": True, "content": {FORM_DATA: {"schema": _form(route)}}}
    if route.streams:
        operation["requestBody"] = {"required": True, "content": {OCTETS: {"schema": _BYTES}}}
    operation["x-scope"] = route.scope.value
    if route.action is not None:
        operation["x-action"] = route.action.value
    if route.scope is not Scope.PUBLIC:
        operation["security"] = [{"bearer": []}, {}]  # {}: on a laptop
    return operation


_BYTES = {"type": "string", "format": "binary"}
_ANY = {"type": "string", "minLength": 1}
_WORDS = {
    "attempt": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
    "file": {"type": "string", "enum": [*BY_WORKER, DATASET]},
    "link": {"type": "string", "minLength": 1, "maxLength": 4000},
    "name": {"type": "string", "minLength": 1, "maxLength": 255, "format": "secret-name"},
}
_FILE = {"type": "object", "properties": {"file": _BYTES}, "required": ["file"]}


def _form(route: Route) -> dict[str, Any]:
    """The schema of a form with a file, and with other fields beside it."""
    if route.form is None:
        return _FILE
    fields = route.form.model_json_schema(ref_template=_REF)["properties"]
    given = {name: _without_null(field) for name, field in fields.items()}
    return {
        "type": "object",
        "properties": {**given, FormUpload.part: _BYTES},
        "required": [FormUpload.part],
        "additionalProperties": False,
    }


# Said by the HTTP parser, before any route is chosen.
_UNREADABLE: dict[str, Any] = {
    "description": "Not readable as HTTP, such as an address longer than 64 KiB",
    "content": {"text/plain": {"schema": {"type": "string"}}},
}


def _bad_request(route: Route, problem: dict[str, Any]) -> dict[str, Any]:
    if not route.path.startswith(("/api/auth/", "/api/users", "/api/v1/")):
        return _UNREADABLE
    return {
        "description": "The credentials, the code, the address or what is named cannot be taken; or not "
        "readable as HTTP",
        "content": {**problem, **_UNREADABLE["content"]},
    }


def _responses(route: Route, schemas: dict[Any, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": route.summary}
    if route.answer is not None:
        schema = schemas[(id(route.answer), "serialization")]
        medias = (route.media.partition(";")[0], *route.gives)
        success["content"] = {
            media: {"schema": _BYTES if route.answer is bytes or media == OCTETS else schema}
            for media in medias
        }
    problem = {JSON: {"schema": schemas[(id(ProblemOut), "serialization")]}}
    refused = {
        str(status): {"description": _REFUSALS[status], "content": problem} for status in _refusals(route)
    }
    if route.gives or route.ranges:
        refused["304"] = {"description": "Nothing new since the ETag in `If-None-Match`"}
    present = {"200": success} if route.present else {}
    if route.otherwise is not None:
        present[str(route.otherwise)] = {"description": route.summary}
    if route.ranges:
        present["206"] = {**success, "description": "The bytes that `Range` asks for"}
        refused["416"] = {"description": "None of the bytes that `Range` asks for", "content": problem}
    return {**present, str(route.status): success, "400": _bad_request(route, problem), **refused}


def _refusals(route: Route) -> list[int]:
    found = {403, 422}
    if route.scope is not Scope.PUBLIC or route.path.startswith("/api/auth/"):
        found |= {401, 404, 429, 503}
    if route.path.endswith("/ready"):
        found.add(503)
    if route.body is not None or route.uploads or route.streams:
        found |= {409, 413, 415}
    if route.method == "DELETE" or "/api/v1/" in route.path:
        found.add(409)
    return sorted(found)


def _path_names(route: Route) -> list[str]:
    return re.findall(r"\{(\w+)\}", route.path)


def _path_parameter(name: str, route: Route) -> dict[str, Any]:
    if name in route.words:
        # What can be no name is deleted like what is not there: with nothing to do.
        schema = _ANY if route.method == "DELETE" else _WORDS[name]
        return {"name": name, "in": "path", "required": True, "schema": schema}
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}


def _query_parameters(query: type[BaseModel]) -> list[dict[str, Any]]:
    schema = query.model_json_schema(ref_template=_REF)
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _without_null(field)}
        for name, field in schema.get("properties", {}).items()
    ]


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """A query has no null: a parameter is there or it is not."""
    kinds = [kind for kind in field.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return field
    return {**kinds[0], "title": field.get("title", "")}


def _operation_id(route: Route) -> str:
    words = re.sub(r"\{\w+\}|[^a-z]+", " ", route.path).split()
    words = [word for word in words if word != "api"] or ["root"]
    return "_".join([*words, route.responder])


def _tag(route: Route) -> str:
    words = [word for word in route.path.split("/") if word not in ("", "api")]
    if words[:1] == ["v1"]:
        return " ".join(words[:2])
    return words[0] if words and route.action is not None else "service"
