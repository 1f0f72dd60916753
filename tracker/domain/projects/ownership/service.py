"""Use cases of ownership."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum

from tracker.domain.errors import Conflict, Forbidden, Invalid
from tracker.domain.identity.accounts.service import (
    require_another_administrator,
    require_person,
    require_superuser,
)
from tracker.domain.identity.accounts.user import User
from tracker.domain.identity.actor import LOCAL_USER, Actor
from tracker.domain.identity.audit.service import record
from tracker.domain.identity.policy import Action, require_scopes, role_on_project
from tracker.domain.identity.roles import Role
from tracker.domain.identity.teams.team import ProjectMember, TeamMember
from tracker.domain.ids import ProjectId, PurgeId, UserId
from tracker.domain.projects.project import Project
from tracker.domain.projects.purge import Purge
from tracker.domain.projects.service import visible_project
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import UnitsOfWork, WritingUnit

__all__ = ["Fate", "OwnershipService"]


class Fate(StrEnum):
    """What becomes of the projects and teams of a user who is deleted."""

    TRANSFER = "transfer"
    DELETE = "delete"


class OwnershipService:
    """Hands projects over, and removes users together with a decision about what they own.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ids: names orders to purge.
        purge: carries out what deletions left to do; called after each.
    """

    def __init__(
        self, units: UnitsOfWork, clock: Clock, ids: IdGenerator, purge: Callable[[], Awaitable[object]]
    ) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids
        self._purge = purge

    async def transfer(self, actor: Actor, project_id: ProjectId, user_id: UserId) -> Project:
        """The project, owned by another user.

        Raises:
            NotFound: there is no such project that `actor` may see, or no such user.
            Forbidden: `actor` is not its owner, or shows an API token without all scopes.
            Conflict: the user is not active.
        """
        async with self._units.writing() as unit:
            project = await visible_project(unit, actor, project_id, Action.PROJECT_DELETE)
            if not actor.is_superuser and role_on_project(actor, project.scope) is not Role.OWNER:
                raise Forbidden("only the owner hands a project over")
            require_scopes(actor, Role.OWNER.actions)
            heir = await unit.users.get(user_id)
            if not heir.is_active:
                raise Conflict(f"user {user_id} is not active")
            saved = await _given(unit, project, heir)
            await record(
                unit, actor, "project.transfer", "project", project_id,
                at=self._clock.now(), scope=saved.scope, user=str(user_id),
            )  # fmt: skip
            await unit.commit()
        return saved

    async def delete_user(
        self, actor: Actor, user_id: UserId, *, fate: Fate | None = None, heir_id: UserId | None = None
    ) -> None:
        """Removes a user. What they own needs a decision, and is told when there is none.

        Args:
            actor: that user themselves, or an administrator.
            user_id: who goes.
            fate: what becomes of their projects and of the teams they own.
            heir_id: who gets them, if they are transferred.

        Raises:
            Forbidden: `actor` is neither, or shows an API token.
            NotFound: there is no such user, or no such heir.
            Conflict: they own something and no fate is stated, they are the last administrator, or
                the heir cannot have it.
            Invalid: an heir without a transfer, or a transfer without an heir.
        """
        if user_id == actor.user_id:
            require_person(actor)
        else:
            require_superuser(actor)
        if (fate is Fate.TRANSFER) != (heir_id is not None):
            raise Invalid.field("transfer_to", "is needed with the fate transfer, and only there")
        if user_id == LOCAL_USER:
            raise Conflict("the local user is the one of this machine and stays")
        now = self._clock.now()
        async with self._units.writing() as unit:
            user = await unit.users.get(user_id)
            if user.is_superuser and user.is_active:
                await require_another_administrator(unit, user)
            projects = [project for project in await unit.projects.list() if project.owner_id == user_id]
            teams = [m for m in await unit.members.teams_of(user_id) if m.role is Role.OWNER]
            if (projects or teams) and fate is None:
                raise Conflict(
                    f"user {user.email} owns {len(projects)} projects and {len(teams)} teams; "
                    "say what becomes of them: fate transfer (with transfer_to) or delete"
                )
            if heir_id is not None:
                await self._hand_over(unit, user, heir_id, projects, teams)
            else:
                await self._delete(unit, projects, teams)
            await unit.users.delete(user_id)
            await record(
                unit, actor, "user.delete", "user", user_id, at=now, fate=fate and fate.value,
                heir=heir_id and str(heir_id), projects=len(projects), teams=len(teams),
            )  # fmt: skip
            await unit.commit()
        await self._purge()

    async def _hand_over(
        self,
        unit: WritingUnit,
        user: User,
        heir_id: UserId,
        projects: Sequence[Project],
        teams: Sequence[TeamMember],
    ) -> None:
        heir = await unit.users.get(heir_id)
        if not heir.is_active or heir.id == user.id:
            raise Conflict(f"transfer_to: user {heir_id} cannot inherit")
        for project in projects:
            await _given(unit, project, heir)
        for place in teams:
            await unit.members.remove(place)
            await unit.members.put(place.evolve(user_id=heir_id, role=Role.OWNER))

    async def _delete(
        self, unit: WritingUnit, projects: Sequence[Project], teams: Sequence[TeamMember]
    ) -> None:
        for project in projects:
            order = Purge(id=PurgeId(self._ids.new()), project_id=project.id, requested_at=self._clock.now())
            await unit.purges.add(order)
            await unit.blobs.release(project.id, review_at=order.blobs_from)
            await unit.projects.delete(project.id)
        for place in teams:
            await unit.teams.delete(place.team_id)


async def _given(unit: WritingUnit, project: Project, heir: User) -> Project:
    """The project under its new owner, who is no longer one of those with whom it is shared."""
    place = ProjectMember(project_id=project.id, user_id=heir.id, role=Role.OWNER, added_at=heir.created_at)
    await unit.members.remove(place)
    return await unit.projects.save(project.evolve(owner_id=heir.id))
