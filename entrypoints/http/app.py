"""The application, built from the table of routes."""

from __future__ import annotations

from collections import defaultdict
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import falcon.asgi

from tracker.container import Container

from .api.experiments import Experiments
from .api.health import Documentation, Health
from .api.metrics import Metrics
from .api.projects import Projects
from .api.scalars import Scalars
from .docs_page import docs_page
from .errors import answer_error
from .exchange import responder
from .gate import Gate
from .lifespan import Lifespan
from .openapi import openapi
from .routes import ROUTES

__all__ = ["create_app"]


def create_app(container: Container) -> falcon.asgi.App[Any, Any]:
    """The ASGI application over the services of `container`, which its lifespan starts and stops."""
    settings = container.config()
    middleware: list[Any] = [Lifespan(container), Gate(settings.allowed_origins)]
    app: falcon.asgi.App[Any, Any] = falcon.asgi.App(middleware=middleware)
    app.add_error_handler(Exception, answer_error)
    app.add_error_handler(falcon.HTTPError, answer_error)
    resources = _resources(container)
    responders: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in ROUTES:
        respond = responder(route, resources[route.resource], settings.max_body_bytes)
        responders[route.path][f"on_{route.method.lower()}"] = respond
    for path, methods in responders.items():
        app.add_route(path, SimpleNamespace(**methods))
    return app


def _resources(container: Container) -> dict[type, object]:
    document = cache(partial(openapi, ROUTES))
    made = (
        Health(container.units(), container.scalar_store()),
        Documentation(document, cache(lambda: docs_page(document()))),
        Projects(container.projects(), container.experiments(), container.metrics()),
        Experiments(container.experiments()),
        Metrics(container.metrics()),
        Scalars(container.scalars(), container.clock(), container.ids()),
    )
    return {type(resource): resource for resource in made}
