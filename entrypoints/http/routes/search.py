"""Routes of searching."""

from __future__ import annotations

from tracker.domain.identity.policy import Action

from ..api.search import Searches
from ..route import Route, Scope
from ..schemas.answers import DeletedOut
from ..schemas.search import FieldOut, QueryCreate, QueryEdit, QueryOut, SearchOut, SearchQuery

__all__ = ["SEARCH"]

_PROJECT = "/api/projects/{project_id}"
_QUERY = "/api/queries/{query_id}"

SEARCH: tuple[Route, ...] = (
    Route(
        "GET", "/api/experiments/search", Searches, "search", Action.EXPERIMENTS_VIEW, Scope.PROJECT,
        "Finds experiments by what they are and how they did", SearchOut, query=SearchQuery,
    ),
    Route(
        "GET", f"{_PROJECT}/fields", Searches, "fields", Action.EXPERIMENTS_VIEW, Scope.PROJECT,
        "Lists what can be asked for in a project", list[FieldOut],
    ),
    Route(
        "GET", f"{_PROJECT}/queries", Searches, "queries", Action.EXPERIMENTS_VIEW, Scope.PROJECT,
        "Lists a project's saved queries", list[QueryOut],
    ),
    Route(
        "POST", f"{_PROJECT}/queries", Searches, "save", Action.EXPERIMENTS_EDIT, Scope.PROJECT,
        "Keeps a search under a name", QueryOut, QueryCreate, status=201,
    ),
    Route(
        "PATCH", _QUERY, Searches, "edit", Action.EXPERIMENTS_EDIT, Scope.QUERY,
        "Changes a saved query", QueryOut, QueryEdit,
    ),
    Route(
        "DELETE", _QUERY, Searches, "delete", Action.EXPERIMENTS_EDIT, Scope.QUERY,
        "Deletes a saved query, also from the hypotheses that it feeds", DeletedOut,
    ),
)  # fmt: skip
