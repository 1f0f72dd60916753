"""Who an identity provider says that somebody is, and what their groups mean here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tracker.domain.errors import Invalid
from tracker.domain.frozen import Frozen
from tracker.domain.identity.roles import Role

__all__ = ["ExternalIdentity", "GroupRole", "parse_group_roles", "roles_of_groups"]


class ExternalIdentity(Frozen):
    """What an ID token of an OpenID provider says.

    Attributes:
        issuer, subject: together, who it is; they never change.
        email: ``None`` when the provider does not tell.
        email_verified: the provider knows that the address is theirs.
        groups: by the provider's names.
    """

    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    name: str | None = None
    groups: tuple[str, ...] = ()


class GroupRole(Frozen):
    """Who is in the provider's group has this role in the team of this name."""

    group: str
    team: str
    role: Role

    def __str__(self) -> str:
        """As :func:`parse_group_roles` reads it."""
        return f"{self.group}={self.team}:{self.role}"


def parse_group_roles(text: str) -> tuple[GroupRole, ...]:
    """Reads ``group=team:role`` pieces between commas, such as ``ml=Research:member,leads=Research:admin``.

    Raises:
        Invalid: a piece is not of that form, or hands out the role of owner.
    """
    found = []
    for piece in filter(None, (piece.strip() for piece in text.split(","))):
        group, _, rest = piece.partition("=")
        team, _, role = rest.rpartition(":")
        if not (group.strip() and team.strip()) or role.strip() not in (Role.VIEWER, Role.MEMBER, Role.ADMIN):
            raise Invalid.field(
                "OIDC_TEAMS", f"{piece!r} is not group=team:role with role viewer, member or admin"
            )
        found.append(GroupRole(group=group.strip(), team=team.strip(), role=Role(role.strip())))
    return tuple(found)


def roles_of_groups(rules: Iterable[GroupRole], groups: Iterable[str]) -> Mapping[str, Role | None]:
    """The highest role that these groups give in each team that the rules name; ``None`` = no place."""
    present = frozenset(groups)
    roles: dict[str, Role | None] = {}
    for rule in rules:
        best = roles.setdefault(rule.team, None)
        if rule.group in present and (best is None or rule.role.outranks(best)):
            roles[rule.team] = rule.role
    return roles
