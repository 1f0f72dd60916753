"""Use cases of the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tracker.domain.errors import Forbidden, Invalid, NotFound
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.audit.entry import GENESIS, AuditEntry, Event, Outcome, broken_links
from tracker.domain.identity.policy import (
    Action,
    ProjectScope,
    Scope,
    TeamScope,
    may,
    role_in_team,
    role_on_project,
)
from tracker.domain.identity.roles import Role
from tracker.domain.ids import ProjectId, TeamId
from tracker.ports.clock import Clock
from tracker.ports.unit_of_work import UnitsOfWork, WritingUnit

__all__ = ["AuditReport", "AuditService", "record"]

_PAGE = 1000
_LOCK = "audit"


async def record(
    unit: WritingUnit,
    actor: Actor | None,
    what: str,
    kind: str,
    key: object,
    *,
    at: datetime,
    scope: Scope = None,
    origin: str | None = None,
    outcome: Outcome = Outcome.DONE,
    **detail: Any,
) -> None:
    """Adds to the log, in the unit that does what it tells. The unit's last call before the commit:
    from here on no other unit can add.

    Args:
        unit: the unit that does it.
        actor: who; ``None`` = nobody who is known.
        what: such as ``team.member.add``.
        kind: of the thing it was done to.
        key: the thing's id.
        at: when.
        scope: whose owners may read it.
        origin: from where, if no actor tells.
        outcome: how it went.
        detail: names of fields, roles, actions; never a secret.
    """
    await unit.lock(_LOCK)
    event = Event(
        what=what,
        kind=kind,
        key=str(key),
        at=at,
        user_id=None if actor is None else actor.user_id,
        api_token_id=None if actor is None else actor.api_token_id,
        origin=actor.origin if origin is None and actor is not None else origin or "",
        outcome=outcome,
        project_id=scope.project_id if isinstance(scope, ProjectScope) else None,
        team_id=None if scope is None else scope.team_id,
        detail=detail,
    )
    await unit.audit.append(AuditEntry.after(await unit.audit.last(), event))


class AuditReport:
    """What a check of the whole log found.

    Attributes:
        entries: how many there are.
        head: number and digest of the last one, to be kept elsewhere: with it a later check also
            finds a log that was cut off or written anew.
        problems: a sentence each; none when all holds.
    """

    def __init__(self, entries: int, head: str, problems: tuple[str, ...]) -> None:
        self.entries = entries
        self.head = head
        self.problems = problems


class AuditService:
    """Reads the log, checks it, and adds what was refused.

    Args:
        units: opens units of work.
        clock: tells when things happen.
    """

    def __init__(self, units: UnitsOfWork, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def note_refusal(self, actor: Actor, what: str, kind: str, key: object) -> None:
        """Adds what somebody tried and may not do.

        Args:
            actor: who.
            what: the action they lacked.
            kind: of what they tried it on.
            key: which.
        """
        async with self._units.writing() as unit:
            at = self._clock.now()
            await record(unit, actor, what, kind, key, at=at, outcome=Outcome.REFUSED)
            await unit.commit()

    async def read(
        self,
        actor: Actor,
        *,
        project_id: ProjectId | None = None,
        team_id: TeamId | None = None,
        after: int = 0,
        limit: int = 100,
    ) -> tuple[AuditEntry, ...]:
        """Entries of one project, one team, or of the installation, by number.

        Args:
            actor: who reads: an owner of the project or team, or a superuser.
            project_id: of this project.
            team_id: of this team and its projects.
            after: only those with a higher number.
            limit: at most so many, 1 to 1000.

        Raises:
            NotFound: there is no such project or team that `actor` may see.
            Forbidden: it is not theirs.
            Invalid: `limit` is out of range, or both a project and a team are given.
        """
        if not 1 <= limit <= _PAGE:
            raise Invalid.field("limit", f"must be from 1 to {_PAGE}")
        if project_id is not None and team_id is not None:
            raise Invalid.field("team_id", "give either a project or a team")
        async with self._units.reading() as unit:
            if project_id is not None:
                _require_owner(actor, (await unit.projects.get(project_id)).scope, "project", project_id)
                return await unit.audit.list(projects=[project_id], after=after, limit=limit)
            if team_id is not None:
                await unit.teams.get(team_id)
                _require_owner(actor, TeamScope(team_id=team_id), "team", team_id)
                return await unit.audit.list(teams=[team_id], after=after, limit=limit)
            _require_superuser(actor)
            return await unit.audit.list(after=after, limit=limit)

    async def verify(self, actor: Actor, head: str | None = None) -> AuditReport:
        """Checks every link of the chain.

        Args:
            actor: a superuser.
            head: what an earlier report gave; its entry must still be there, unchanged.

        Raises:
            Forbidden: `actor` is no superuser.
            Invalid: `head` is not ``number:digest``.
        """
        _require_superuser(actor)
        wanted = None if head is None else _parsed_head(head)
        problems: list[str] = []
        number, digest, found = 0, GENESIS, wanted in (None, (0, GENESIS))
        async with self._units.reading() as unit:
            while page := await unit.audit.list(after=number, limit=_PAGE):
                problems += broken_links(page, number=number, digest=digest)
                found = found or any((entry.number, entry.digest) == wanted for entry in page)
                number, digest = page[-1].number, page[-1].digest
        if not found:
            problems.append(f"the entry {head} is not in the log: it was cut off or written anew")
        return AuditReport(number, f"{number}:{digest.hex()}", tuple(problems))


def _require_owner(actor: Actor, scope: ProjectScope | TeamScope, kind: str, key: object) -> None:
    roles = {role_in_team(actor, scope.team_id)}
    if isinstance(scope, ProjectScope):
        roles.add(role_on_project(actor, scope))
    if actor.is_superuser or Role.OWNER in roles:
        return
    view = Action.PROJECT_VIEW if isinstance(scope, ProjectScope) else Action.TEAMS_VIEW
    if not may(actor.evolve(scopes=None), view, scope):
        raise NotFound.of(kind, key)
    raise Forbidden(f"the audit log of {kind} {key} is for its owner")


def _require_superuser(actor: Actor) -> None:
    if not actor.is_superuser:
        raise Forbidden("the audit log of the whole installation is for its administrators")


def _parsed_head(text: str) -> tuple[int, bytes]:
    number, _, digest = text.partition(":")
    try:
        return int(number), bytes.fromhex(digest)
    except ValueError as error:
        raise Invalid.field("head", "must be number:digest, as a report gives it") from error
