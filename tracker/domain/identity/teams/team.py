"""A team, who belongs to it, and who may change that."""

from __future__ import annotations

from pydantic import AwareDatetime

from tracker.domain.errors import Conflict, Forbidden
from tracker.domain.frozen import Frozen
from tracker.domain.identity.roles import Role
from tracker.domain.ids import ProjectId, TeamId, UserId
from tracker.domain.text import Description, Name

__all__ = ["ProjectMember", "Team", "TeamMember", "check_role_change"]


class Team(Frozen):
    """People who share projects."""

    id: TeamId
    name: Name
    description: Description = ""
    created_at: AwareDatetime
    version: int = 0


class TeamMember(Frozen):
    """Somebody's place in a team; a team has exactly one owner."""

    team_id: TeamId
    user_id: UserId
    role: Role
    added_at: AwareDatetime


class ProjectMember(Frozen):
    """Somebody with whom one project is shared; its owner is not among them."""

    project_id: ProjectId
    user_id: UserId
    role: Role
    added_at: AwareDatetime


def check_role_change(own: Role | None, present: Role | None, wanted: Role | None, *, is_self: bool) -> None:
    """Lets pass a change of somebody's role that the ranks allow.

    Args:
        own: the role of who changes it; ``None`` for a superuser from outside, who may do all.
        present: the role now; ``None`` = does not belong yet.
        wanted: the role then; ``None`` = leaves.
        is_self: whether somebody changes their own.

    Raises:
        Conflict: there would be no owner, or two: ownership is transferred, not handed out.
        Forbidden: a role at or above one's own would be handed out, changed or taken away.
    """
    if present is Role.OWNER:
        raise Conflict("role: the owner stays until the ownership is transferred to somebody else")
    if wanted is Role.OWNER:
        raise Conflict("role: there is exactly one owner; transfer the ownership instead")
    if own is None or (is_self and wanted is None):  # whoever is not the owner may leave
        return
    for role in (present, wanted):
        if role is not None and not own.outranks(role):
            raise Forbidden(f"role: as {own} you cannot hand out, change or take away the role {role}")
