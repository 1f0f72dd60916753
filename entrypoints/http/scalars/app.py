"""The scalars service's application over any store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import falcon.asgi

from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.scalars import ScalarStore

from ..api.health import Documentation
from ..docs_page import docs_page
from ..errors import answer_error
from ..exchange import BodyLimits, responder
from ..openapi import openapi
from ..request import Request
from .contract import Contract
from .gate import KeyGate
from .health import Alive
from .lifespan import StoreLifespan
from .native import Native
from .routes import SERVICE_ROUTES

__all__ = ["MAX_BODY", "create_scalars_app"]

MAX_BODY = 256 * 2**20
_BODY_SECONDS = 60.0


def create_scalars_app(
    store: ScalarStore,
    clock: Clock,
    ids: IdGenerator,
    *,
    key: str | None = None,
    max_body: int = MAX_BODY,
    at_start: Callable[[], object] | None = None,
) -> falcon.asgi.App[Any, Any]:
    """The ASGI application.

    Args:
        store: what it serves, and closes when it stops.
        clock: gives points without a time the time of their arrival.
        ids: name batches that come without an id.
        key: what clients must show; ``None`` = nothing, for programs of this machine only.
        max_body: the largest request body, in bytes.
        at_start: called when the store has answered, before the first request.
    """
    middleware: list[Any] = [StoreLifespan(store, at_start), KeyGate(key)]
    app: falcon.asgi.App[Any, Any] = falcon.asgi.App(middleware=middleware, request_type=Request)
    app.add_error_handler(Exception, answer_error)
    app.add_error_handler(falcon.HTTPError, answer_error)
    document = cache(partial(openapi, SERVICE_ROUTES))
    resources: dict[type, object] = {
        Alive: Alive(),
        Documentation: Documentation(document, cache(lambda: docs_page(document()))),
        Contract: Contract(store, clock, ids),
        Native: Native(store, clock, ids),
    }
    responders: dict[str, dict[str, Any]] = defaultdict(dict)
    limits = BodyLimits(max_body, _BODY_SECONDS)
    for route in SERVICE_ROUTES:
        respond = responder(route, resources[route.resource], None, limits)
        responders[route.path][f"on_{route.method.lower()}"] = respond
    for path, methods in responders.items():
        app.add_route(path, SimpleNamespace(**methods))
    return app
