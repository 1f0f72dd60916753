"""Everything one may be allowed to do."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from tracker.domain.errors import Invalid, Problem

__all__ = ["ALL_ACTIONS", "Action", "covered", "parse_actions"]


class Action(StrEnum):
    """What one may be allowed to do, by the names that the API uses.

    ``project.*`` and what follows it concern one project; ``projects.*`` all projects of a team (or
    one's own); ``teams.*`` a team.
    """

    PROJECTS_CREATE = "projects.create"
    PROJECTS_DELETE = "projects.delete"
    PROJECTS_VIEW = "projects.view"
    TEAMS_MANAGE = "teams.manage"
    TEAMS_DELETE = "teams.delete"
    TEAMS_VIEW = "teams.view"
    PROJECT_VIEW = "project.view"
    PROJECT_EDIT = "project.edit"
    PROJECT_DELETE = "project.delete"
    EXPERIMENTS_VIEW = "experiments.view"
    EXPERIMENTS_CREATE = "experiments.create"
    EXPERIMENTS_EDIT = "experiments.edit"
    EXPERIMENTS_DELETE = "experiments.delete"
    HYPOTHESES_VIEW = "hypotheses.view"
    HYPOTHESES_CREATE = "hypotheses.create"
    HYPOTHESES_EDIT = "hypotheses.edit"
    HYPOTHESES_DELETE = "hypotheses.delete"
    METRICS_VIEW = "metrics.view"
    METRICS_CREATE = "metrics.create"
    METRICS_EDIT = "metrics.edit"
    METRICS_DELETE = "metrics.delete"
    SCALARS_VIEW = "scalars.view"
    SCALARS_LOG = "scalars.log"
    ARTIFACTS_VIEW = "artifacts.view"
    ARTIFACTS_LOG = "artifacts.log"


ALL_ACTIONS = frozenset(Action)

_PLURALS = {
    Action.PROJECT_VIEW: Action.PROJECTS_VIEW,
    Action.PROJECT_DELETE: Action.PROJECTS_DELETE,
}


def covered(action: Action) -> frozenset[Action]:
    """The actions each of which settles `action`: itself, and the same for all projects."""
    plural = _PLURALS.get(action)
    return frozenset({action}) if plural is None else frozenset({action, plural})


def parse_actions(texts: Iterable[str], field: str = "scopes") -> frozenset[Action]:
    """The actions of these names; ``experiments.*`` names all of a kind and ``*`` all there are.

    Raises:
        Invalid: a text names none; tells at which place of `field`.
    """
    found: set[Action] = set()
    for index, text in enumerate(texts):
        kind = text.removesuffix("*")
        named = {action for action in Action if action == text or (kind != text and action.startswith(kind))}
        if not named or (kind != text and kind and not kind.endswith(".")):
            known = ", ".join(Action)
            raise Invalid(
                f"{field}: {text!r} is no action; there are {known}",
                [Problem((field, index), f"must be one of {known}", "enum")],
            )
        found |= named
    return frozenset(found)
