"""The application, built from the table of routes."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import falcon.asgi

from tracker.container import Container
from tracker.domain.errors import TrackerError
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.audit.service import AuditService

from .api.access import Access
from .api.api_tokens import ApiTokens
from .api.artifacts import Artifacts, Blobs, Snapshots
from .api.audit import Audit
from .api.auth import Auth, SignIn
from .api.branches import Branches
from .api.comparison import Comparisons
from .api.experiments import Experiments
from .api.health import Documentation, Health
from .api.hypotheses import Hypotheses
from .api.metrics import Metrics
from .api.projects import Projects
from .api.scalars import Scalars
from .api.search import Searches
from .api.teams import Teams
from .api.users import Users
from .auth import Door, LocalDoor, TeamDoor
from .docs_page import docs_page
from .errors import answer_error
from .exchange import BodyLimits, responder
from .gate import Gate
from .lifespan import Lifespan
from .openapi import openapi
from .request import Request
from .routes import PUBLIC, ROUTES

__all__ = ["create_app"]

_log = logging.getLogger("tracker.http")


def create_app(container: Container, at_start: Callable[[], object] | None = None) -> Lifespan:
    """The ASGI application over the services of `container`, which its lifespan starts and stops.

    Args:
        container: what is behind it.
        at_start: called when everything is open, before the first request.
    """
    settings = container.config()
    door = _door(container)
    gate = Gate(
        door,
        # On a laptop the door looks at everything: a login too must come from this machine.
        PUBLIC if settings.auth == "required" else (),
        settings.allowed_origins,
        _refusals(container.audit()),
    )
    app: falcon.asgi.App[Any, Any] = falcon.asgi.App(middleware=[gate], request_type=Request)
    app.add_error_handler(Exception, answer_error)
    app.add_error_handler(falcon.HTTPError, answer_error)
    resources = _resources(container)
    limits = BodyLimits(settings.max_body_bytes, settings.body_seconds, settings.max_blob_bytes)
    responders: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in ROUTES:
        respond = responder(route, resources[route.resource], door, limits)
        responders[route.path][f"on_{route.method.lower()}"] = respond
    for path, methods in responders.items():
        app.add_route(path, SimpleNamespace(**methods))
    return Lifespan(app, container, at_start)


def _door(container: Container) -> Door:
    settings = container.config()
    if settings.auth == "required":
        return TeamDoor(container.callers(), settings.requests_per_minute)
    return LocalDoor()


def _refusals(audit: AuditService) -> Callable[[Actor, str, str], Awaitable[None]]:
    async def note(actor: Actor, method: str, path: str) -> None:
        try:
            await audit.note_refusal(actor, "request", method, path)
        except TrackerError as error:
            _log.warning("a refusal could not be noted: %s", error.detail)

    return note


def _resources(container: Container) -> dict[type, object]:
    settings = container.config()
    document = cache(partial(openapi, ROUTES))
    made = (
        Health(container.database(), container.scalar_store(), container.blob_store()),
        Documentation(document, cache(lambda: docs_page(document()))),
        Projects(container.projects(), container.experiments(), container.metrics(), container.hypotheses()),
        Branches(container.branches(), container.experiments()),
        Experiments(container.experiments(), container.runs(), container.heartbeats()),
        Metrics(container.metrics()),
        Blobs(container.blobs(), settings.max_blob_bytes),
        Artifacts(container.artifacts()),
        Snapshots(container.snapshots()),
        Searches(container.search(), container.experiments()),
        Comparisons(container.comparisons(), container.budgets(), container.importances()),
        Hypotheses(container.hypotheses(), container.hypothesis_links()),
        Scalars(container.scalars(), container.clock(), container.ids()),
        Auth(container.accounts(), container.sessions(), container.recovery()),
        SignIn(container.sign_in(), secure=(settings.public_url or "").startswith("https:")),
        Users(container.accounts(), container.ownership()),
        ApiTokens(container.api_tokens()),
        Teams(container.teams()),
        Access(container.permissions(), container.ownership(), container.projects()),
        Audit(container.audit()),
    )
    return {type(resource): resource for resource in made}
