"""Who may do what on projects and in teams."""

from __future__ import annotations

from typing import Any

from tracker.domain.identity.permissions.service import PermissionService, ProjectMemberDetail
from tracker.domain.identity.roles import Role
from tracker.domain.ids import GrantId, ProjectId, UserId
from tracker.domain.projects.ownership.service import OwnershipService
from tracker.domain.projects.service import ProjectService

from ..exchange import Call
from ..schemas.access import (
    AccessQuery,
    ExplainQuery,
    ExplanationOut,
    GrantIn,
    GrantOut,
    HandOver,
    ProjectMemberEdit,
    ProjectMemberOut,
    ProjectMemberRemove,
    explanation_out,
    grant_out,
    project_member_out,
)
from ..schemas.answers import DeletedOut, NoQuery
from ..schemas.projects import ProjectOut, project_out

__all__ = ["Access"]


class Access:
    """``/api/permissions`` and the people of one project."""

    def __init__(
        self, permissions: PermissionService, ownership: OwnershipService, projects: ProjectService
    ) -> None:
        self._permissions = permissions
        self._ownership = ownership
        self._projects = projects

    async def members(self, call: Call[None, NoQuery]) -> list[ProjectMemberOut]:
        """With whom a project is shared."""
        found = await self._permissions.members(call.actor, _project(call))
        return [project_member_out(each) for each in found]

    async def share(self, call: Call[ProjectMemberEdit, NoQuery]) -> ProjectMemberOut:
        """Somebody's new role."""
        return project_member_out(await self._shared(call, call.body.user_id, call.body.role))

    async def unshare(self, call: Call[ProjectMemberRemove, NoQuery]) -> DeletedOut:
        """Somebody's role ends."""
        user_id = UserId(call.body.user_id)
        await self._permissions.unshare(call.actor, _project(call), user_id)
        return {"success": True}

    async def transfer(self, call: Call[HandOver, NoQuery]) -> ProjectOut:
        """A project under another owner."""
        project = await self._ownership.transfer(call.actor, _project(call), UserId(call.body.user_id))
        (detail,) = await self._projects.describe([project])
        return project_out(detail)

    async def grant(self, call: Call[GrantIn, NoQuery]) -> GrantOut:
        """A new permission or denial."""
        body = call.body
        kept = await self._permissions.grant(
            call.actor,
            UserId(body.user_id),
            body.action,
            body.place(),
            effect=body.effect,
            until=body.until,
        )
        return grant_out(kept)

    async def grants(self, call: Call[None, AccessQuery]) -> list[GrantOut]:
        """All of one place."""
        found = await self._permissions.list(call.actor, call.query.place())
        return [grant_out(grant) for grant in found]

    async def withdraw(self, call: Call[None, NoQuery]) -> DeletedOut:
        """Removes one."""
        await self._permissions.withdraw(call.actor, GrantId(call.path["grant_id"]))
        return {"success": True}

    async def explain(self, call: Call[None, ExplainQuery]) -> ExplanationOut:
        """Why, or why not."""
        query = call.query
        explanation = await self._permissions.explain(
            call.actor, UserId(query.user), query.action, query.place()
        )
        return explanation_out(explanation)

    async def _shared(self, call: Call[Any, Any], user_id: Any, role: Role) -> ProjectMemberDetail:
        return await self._permissions.share(call.actor, _project(call), UserId(user_id), role)


def _project(call: Call[Any, Any]) -> ProjectId:
    return ProjectId(call.path["project_id"])
