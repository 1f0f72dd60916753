"""Routes of the desk, at which workers show the pass of their one attempt."""

from __future__ import annotations

from typing import Any

from ..api.addresses import API_V1
from ..api.desk import Desks
from ..media import JSON, OCTETS
from ..route import Route, Scope
from ..schemas.desk import AdmitIn, BeginIn, KeepIn, RememberedIn, RowsQuery
from ..schemas.wire import Json

__all__ = ["DESK"]

_DESK = f"{API_V1}/desk/{{job_id}}/{{attempt}}"
_ROWS_AT_MOST = 256 * 2**20


def _route(method: str, path: str, responder: str, summary: str, answer: Any, **more: Any) -> Route:
    more.setdefault("words", ("attempt",))
    return Route(
        method, f"{_DESK}/{path}", Desks, responder, None, Scope.DESK, summary, answer,
        shows_credentials=True, **more,
    )  # fmt: skip


DESK: tuple[Route, ...] = (
    _route("POST", "admit", "admit", "Gives a worker its pass and its work, once", Json, body=AdmitIn),
    _route("POST", "begin", "begin", "Notes that the attempt runs", Json, body=BeginIn),
    _route("POST", "heartbeat", "heartbeat", "Takes a sign of life", Json),
    _route("GET", "dataset", "dataset", "Gives the bytes of the dataset", bytes, media=OCTETS),
    _route("GET", "answered", "answered", "Tells which rows need not be sent again", Json),
    _route("POST", "remembered", "remembered", "Tells answers known of earlier", Json, body=RememberedIn),
    _route(
        "POST", "rows", "keep", "Keeps what came of rows; durable when it answers", Json, body=KeepIn,
        takes=(JSON,), largest=_ROWS_AT_MOST, first="check",
    ),
    _route("GET", "rows", "rows", "Tells what came of rows, by number", Json, query=RowsQuery),
    _route(
        "PUT", "files/{file}", "leave", "Takes a file of the job; durable when it answers", None, status=204,
        streams=True, words=("attempt", "file"),
    ),
)  # fmt: skip
