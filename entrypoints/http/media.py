"""The media types of bodies and answers."""

from __future__ import annotations

from typing import Any

import falcon.asgi
from pydantic_core import from_json, to_json

from tracker.domain.errors import Invalid, Problem
from tracker.domain.json_tree import thaw
from tracker.scalars_wire import MSGPACK, pack, unpack

__all__ = ["HTML", "JSON", "MSGPACK", "OCTETS", "chosen", "decoded", "encoded", "written"]

JSON = "application/json"
HTML = "text/html; charset=utf-8"
OCTETS = "application/octet-stream"


def encoded(value: object) -> bytes:
    """JSON in UTF-8; non-finite numbers become the text ``NaN``, ``Infinity`` or ``-Infinity``."""
    return to_json(value, inf_nan_mode="strings", fallback=thaw)


def written(value: object, media: str) -> bytes:
    """An answer in its media type; what is bytes already stays as it is."""
    if isinstance(value, bytes):
        return value
    return pack(value) if media == MSGPACK else encoded(value)


def decoded(raw: bytes, media: str) -> Any:
    """The content of a body.

    Raises:
        Invalid: the bytes are not of this media type.
    """
    name, kind = ("msgpack", "msgpack_invalid") if media == MSGPACK else ("JSON", "json_invalid")
    try:
        return unpack(raw) if media == MSGPACK else from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise Invalid(f"the body is not {name}: {error}", [Problem(("body",), str(error), kind)]) from error


def chosen(req: falcon.asgi.Request, offers: tuple[str, ...]) -> str:
    """The offer that ``Accept`` likes best; the first one when it likes them all, or none."""
    if req.get_header("accept") in (None, "*/*"):
        return offers[0]
    return req.client_prefers(offers) or offers[0]
