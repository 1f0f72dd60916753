"""The one table of routes: the app, the OpenAPI document and the reference page are made from it."""

from __future__ import annotations

from ..route import Route, Scope
from .artifacts import ARTIFACTS
from .comparison import COMPARISON
from .desk import DESK
from .evaluation import EVALUATION
from .hypotheses import HYPOTHESES
from .identity import IDENTITY
from .search import SEARCH
from .tracking import TRACKING

__all__ = ["LINKS", "PUBLIC", "ROUTES", "UNGUARDED", "Route", "Scope"]

ROUTES: tuple[Route, ...] = (
    *TRACKING,
    *ARTIFACTS,
    *SEARCH,
    *COMPARISON,
    *HYPOTHESES,
    *IDENTITY,
    *EVALUATION,
    *DESK,
)

PUBLIC = frozenset((route.method, route.path) for route in ROUTES if route.scope is Scope.PUBLIC)
"""Method and path of what strangers are answered too; their paths hold no ids."""

LINKS = tuple(sorted({route.path.partition("{")[0] for route in ROUTES if route.scope is Scope.LINK}))
"""Beginnings of paths of which the rest is a credential."""

UNGUARDED = tuple(
    sorted({route.path.partition("{")[0] for route in ROUTES if route.scope in (Scope.LINK, Scope.DESK)})
)
"""Beginnings of paths whose routes look at other credentials by themselves."""
