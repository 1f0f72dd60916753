"""Roles: the sets of actions that people are usually given together.

Ranks: viewer < member < admin < owner. A higher role may do all that a lower one may. Nobody hands
out, changes or takes away a role at or above their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from tracker.domain.identity.actions import ALL_ACTIONS, Action

__all__ = ["Role"]


class Role(StrEnum):
    """What somebody is in a team or on a project, lowest rank first."""

    VIEWER = "viewer"
    MEMBER = "member"
    ADMIN = "admin"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        """0 for the lowest."""
        return _RANKS[self]

    @property
    def actions(self) -> frozenset[Action]:
        """What the role may do."""
        return _ACTIONS[self]

    def outranks(self, other: Role) -> bool:
        """Whether its rank is higher."""
        return self.rank > other.rank


_RANKS: Mapping[Role, int] = {role: rank for rank, role in enumerate(Role)}

_VIEWER = frozenset(action for action in Action if action.endswith(".view"))
_MEMBER = _VIEWER | frozenset(
    action
    for action in Action
    if action.partition(".")[0] in ("experiments", "hypotheses", "metrics", "scalars", "artifacts")
) | {Action.PROJECTS_CREATE}  # fmt: skip
_ADMIN = ALL_ACTIONS - {Action.TEAMS_DELETE}

_ACTIONS: Mapping[Role, frozenset[Action]] = {
    Role.VIEWER: _VIEWER,
    Role.MEMBER: _MEMBER,
    Role.ADMIN: _ADMIN,
    Role.OWNER: ALL_ACTIONS,
}
