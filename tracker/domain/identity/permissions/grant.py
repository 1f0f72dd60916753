"""One action, allowed or denied to one person on one project or team."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, model_validator
from pydantic_core import PydanticCustomError

from tracker.domain.frozen import Frozen
from tracker.domain.identity.actions import Action
from tracker.domain.ids import GrantId, ProjectId, TeamId, UserId

__all__ = ["Effect", "Grant"]


class Effect(StrEnum):
    """Which way a grant goes."""

    ALLOW = "allow"
    DENY = "deny"


class Grant(Frozen):
    """An exception to what roles say.

    Attributes:
        project_id, team_id: where it holds; exactly one of the two.
        until: from this moment on it is as if it had never been there.
        granted_by: who gave it; ``None`` once that user is gone.
    """

    id: GrantId
    user_id: UserId
    action: Action
    effect: Effect = Effect.ALLOW
    project_id: ProjectId | None = None
    team_id: TeamId | None = None
    until: AwareDatetime | None = None
    granted_by: UserId | None = None
    created_at: AwareDatetime

    @model_validator(mode="after")
    def _holds_in_one_place(self) -> Self:
        if (self.project_id is None) == (self.team_id is None):
            raise PydanticCustomError("grant_place", "project or team: exactly one of the two")
        return self

    def holds(self, at: datetime) -> bool:
        """Whether it has not run out."""
        return self.until is None or at < self.until
