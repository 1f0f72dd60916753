"""Routes of hypotheses."""

from __future__ import annotations

from tracker.domain.identity.policy import Action

from ..api.hypotheses import Hypotheses
from ..route import Route, Scope
from ..schemas.answers import DeletedOut
from ..schemas.evidence import EvidenceOut
from ..schemas.experiments import RecentQuery
from ..schemas.hypotheses import (
    DecisionIn,
    DecisionOut,
    HypothesisCreate,
    HypothesisEdit,
    HypothesisLink,
    HypothesisOut,
    HypothesisQueryLink,
)

__all__ = ["HYPOTHESES"]

_ONE = "/api/hypotheses/{hypothesis_id}"

HYPOTHESES: tuple[Route, ...] = (
    Route(
        "POST", "/api/hypotheses", Hypotheses, "create", Action.HYPOTHESES_CREATE, Scope.PROJECT,
        "Creates a hypothesis", HypothesisOut, HypothesisCreate, status=201,
    ),
    Route(
        "GET", "/api/hypotheses/recent", Hypotheses, "recent", Action.HYPOTHESES_VIEW, Scope.PROJECT,
        "Lists the newest hypotheses", list[HypothesisOut], query=RecentQuery,
    ),
    Route(
        "GET", _ONE, Hypotheses, "show", Action.HYPOTHESES_VIEW, Scope.HYPOTHESIS,
        "Shows a hypothesis with its verdict", HypothesisOut,
    ),
    Route(
        "PATCH", _ONE, Hypotheses, "edit", Action.HYPOTHESES_EDIT, Scope.HYPOTHESIS,
        "Changes a hypothesis; another status is a decision", HypothesisOut, HypothesisEdit,
    ),
    Route(
        "DELETE", _ONE, Hypotheses, "delete", Action.HYPOTHESES_DELETE, Scope.HYPOTHESIS,
        "Deletes a hypothesis with its decisions", DeletedOut,
    ),
    Route(
        "GET", f"{_ONE}/evidence", Hypotheses, "evidence", Action.HYPOTHESES_VIEW, Scope.HYPOTHESIS,
        "Gives the verdict and every number it rests on", EvidenceOut,
    ),
    Route(
        "POST", f"{_ONE}/experiments", Hypotheses, "link", Action.HYPOTHESES_EDIT, Scope.HYPOTHESIS,
        "Links an experiment", HypothesisOut, HypothesisLink,
    ),
    Route(
        "DELETE", f"{_ONE}/experiments/{{experiment_id}}", Hypotheses, "unlink",
        Action.HYPOTHESES_EDIT, Scope.HYPOTHESIS,
        "Takes an experiment's link away", HypothesisOut,
    ),
    Route(
        "POST", f"{_ONE}/queries", Hypotheses, "link_query", Action.HYPOTHESES_EDIT, Scope.HYPOTHESIS,
        "Links the experiments that a saved query finds", HypothesisOut, HypothesisQueryLink,
    ),
    Route(
        "DELETE", f"{_ONE}/queries/{{query_id}}", Hypotheses, "unlink_query",
        Action.HYPOTHESES_EDIT, Scope.HYPOTHESIS,
        "Takes a saved query's link away", HypothesisOut,
    ),
    Route(
        "POST", f"{_ONE}/decisions", Hypotheses, "decide", Action.HYPOTHESES_EDIT, Scope.HYPOTHESIS,
        "Decides the status, or has it computed again", HypothesisOut, DecisionIn, status=201,
    ),
    Route(
        "GET", f"{_ONE}/decisions", Hypotheses, "decisions", Action.HYPOTHESES_VIEW, Scope.HYPOTHESIS,
        "Lists what was decided, oldest first", list[DecisionOut],
    ),
)  # fmt: skip
