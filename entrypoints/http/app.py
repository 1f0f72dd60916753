"""The application, built from the table of routes."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import falcon.asgi

from tracker.container import Container
from tracker.domain.errors import TrackerError
from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.audit.service import AuditService

from .api.access import Access
from .api.addresses import API_V1, Addresses
from .api.api_tokens import ApiTokens
from .api.artifacts import Artifacts, Blobs, Snapshots
from .api.audit import Audit
from .api.auth import Auth, SignIn
from .api.branches import Branches
from .api.catalogue import Deployment, Models, Secrets
from .api.comparison import Comparisons
from .api.datasets import Datasets, Files
from .api.desk import Desks
from .api.experiments import Experiments
from .api.health import Documentation, Health
from .api.hypotheses import Hypotheses
from .api.jobs import Jobs
from .api.metrics import Metrics
from .api.projects import Projects
from .api.scalars import Scalars
from .api.search import Searches
from .api.teams import Teams
from .api.users import Users
from .api.workflows import Evaluations, Workflows
from .auth import Door, LocalDoor, TeamDoor
from .docs_page import docs_page
from .errors import answer_error
from .exchange import BodyLimits, responder
from .gate import Gate
from .lifespan import Lifespan
from .openapi import openapi
from .request import Request
from .route import Route
from .routes import LINKS, PUBLIC, ROUTES, UNGUARDED
from .streaming import discard

__all__ = ["create_app"]

_METHODS = ("get", "post", "put", "patch", "delete")

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
        UNGUARDED if settings.auth == "required" else (),
        settings.allowed_origins,
        _refusals(container.audit()),
        links=LINKS,
    )
    app: falcon.asgi.App[Any, Any] = falcon.asgi.App(middleware=[gate], request_type=Request)
    app.add_error_handler(Exception, answer_error)
    app.add_error_handler(falcon.HTTPError, answer_error)
    resources = _resources(container)
    limits = BodyLimits(
        settings.max_body_bytes, settings.body_seconds, settings.max_blob_bytes, settings.max_dataset_bytes
    )
    responders: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in ROUTES:
        respond = responder(route, resources[route.resource], door, limits)
        responders[_template(route)][f"on_{route.method.lower()}"] = respond
    for path, methods in responders.items():
        app.add_route(path, SimpleNamespace(**methods))
    _add_other_spellings(app, responders)
    return Lifespan(app, container, at_start)


def _template(route: Route) -> str:
    """The path as Falcon wants it: a text at its end may hold slashes."""
    if not route.words or not route.path.endswith(f"{{{route.words[-1]}}}"):
        return route.path
    return route.path.removesuffix("}") + ":path}"


def _add_other_spellings(app: falcon.asgi.App[Any, Any], paths: Collection[str]) -> None:
    """What clients of the evaluation API know: a collection without its slash, and kinds of jobs to come."""
    for path in paths:
        if path.startswith(API_V1) and path.endswith("/"):
            methods = dict.fromkeys((f"on_{each}" for each in _METHODS), _to_slash)
            app.add_route(path.rstrip("/"), SimpleNamespace(**methods))
    app.add_sink(_unknown_kind, re.compile(rf"{API_V1}/jobs/(?P<kind>[^/]+)/$"))


async def _to_slash(req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
    query = f"?{req.query_string}" if req.query_string else ""
    await discard(req)
    raise falcon.HTTPTemporaryRedirect(f"{req.path}/{query}")


async def _unknown_kind(req: Any, resp: Any, kind: str = "", **others: object) -> None:
    if req.method != "POST":
        raise falcon.HTTPNotFound
    await discard(req)
    known = ", ".join(JobKind)
    raise falcon.HTTPNotImplemented(
        description=f"there are no jobs of the kind {kind[:100]!r}; there are {known}"
    )


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


_document = cache(partial(openapi, ROUTES))  # the same for every application of this process


@cache
def _page() -> bytes:
    return docs_page(_document())


def _resources(container: Container) -> dict[type, object]:
    settings = container.config()
    made = (
        Health(container.database(), container.scalar_store(), container.blob_store()),
        Documentation(_document, _page),
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
        *_evaluation(container),
    )
    return {type(resource): resource for resource in made}


def _evaluation(container: Container) -> tuple[object, ...]:
    settings = container.config()
    addresses = Addresses(settings.public_url)
    return (
        Deployment(settings.deployment_type),
        Datasets(container.datasets(), addresses),
        Files(container.links()),
        Jobs(container.jobs(), addresses),
        Evaluations(container.evaluations(), container.workflows(), addresses),
        Workflows(container.workflows(), container.workflow_comparisons(), addresses),
        Models(container.models()),
        Secrets(container.evaluation_secrets()),
        Desks(container.desk()),
    )
