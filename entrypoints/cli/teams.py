"""``tracker team``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from tracker.areas.identity import Member
from tracker.domain.identity.teams.team import Team

from .account_lookup import team_named, user_named
from .confirm import confirm, yes_option
from .lookup import is_id
from .output import Column, as_json_option, plain, print_json, print_record, print_table
from .target import with_library
from .text import moment
from .values import ROLE

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["print_members", "team"]

_COLUMNS = (
    Column("id", lambda team: str(team.id)),
    Column("name", lambda team: team.name),
    Column("created", lambda team: moment(team.created_at)),
    Column("description", lambda team: team.description),
)

_MEMBER_COLUMNS = (
    Column("id", lambda member: str(member.user_id)),
    Column("e-mail", lambda member: member.email),
    Column("name", lambda member: member.display_name),
    Column("role", lambda member: member.role.value),
    Column("since", lambda member: moment(member.added_at)),
)

_team = click.argument("team", metavar="TEAM")
_user = click.argument("user", metavar="USER")
_role = click.argument("role", metavar="ROLE", type=ROLE)


@click.group()
def team() -> None:
    """Teams: people who share projects.

    TEAM is an id or a name, USER an id or an e-mail address. ROLE is viewer, member or admin; a team
    has exactly one owner.
    """


@team.command()
@click.argument("name")
@click.option("--description", default="")
@as_json_option
@with_library
def create(library: Tracker, name: str, description: str, as_json: bool) -> None:
    """Create a team called NAME, which is yours."""
    _print(library.teams.create(name, description=description), as_json)


@team.command("list")
@as_json_option
@with_library
def list_teams(library: Tracker, as_json: bool) -> None:
    """List the teams, oldest first."""
    found = library.teams.list()
    if as_json:
        print_json(found)
    else:
        print_table(_COLUMNS, found, empty="no teams; `tracker team create NAME` makes one")


@team.command()
@_team
@as_json_option
@with_library
def show(library: Tracker, team: str, as_json: bool) -> None:
    """Show TEAM and who belongs to it."""
    found = team_named(library, team)
    members = library.teams.members(found.id)
    if as_json:
        print_json({**plain(found), "members": members})
        return
    _print(found, as_json)
    click.echo()
    print_members(members, as_json)


@team.command()
@_team
@click.option("--name")
@click.option("--description")
@as_json_option
@with_library
def edit(library: Tracker, team: str, name: str | None, description: str | None, as_json: bool) -> None:
    """Change TEAM; what is not given stays as it is."""
    given: dict[str, Any] = {"name": name, "description": description}
    changes = {field: value for field, value in given.items() if value is not None}
    if not changes:
        raise click.UsageError("nothing to change: give at least one option")
    _print(library.teams.edit(team_named(library, team).id, **changes), as_json)


@team.command()
@_team
@yes_option
@with_library
def delete(library: Tracker, team: str, yes: bool) -> None:
    """Delete TEAM; its projects stay with their owners."""
    found = team_named(library, team)
    confirm(f"Delete team {found.name}?", yes=yes)
    library.teams.delete(found.id)


@team.command()
@_team
@_user
@_role
@as_json_option
@with_library
def add(library: Tracker, team: str, user: str, role: str, as_json: bool) -> None:
    """Add USER to TEAM as ROLE."""
    found = team_named(library, team)
    who = {"user_id": user} if is_id(user) else {"email": user}
    print_members([library.teams.add(found.id, role, **who)], as_json)


@team.command()
@_team
@_user
@_role
@as_json_option
@with_library
def change(library: Tracker, team: str, user: str, role: str, as_json: bool) -> None:
    """Make the member USER of TEAM a ROLE."""
    found = team_named(library, team)
    changed = library.teams.change(found.id, user_named(library, user, team_id=found.id), role)
    print_members([changed], as_json)


@team.command()
@_team
@_user
@yes_option
@with_library
def remove(library: Tracker, team: str, user: str, yes: bool) -> None:
    """Take USER out of TEAM; anybody but the owner may leave."""
    found = team_named(library, team)
    chosen = user_named(library, user, team_id=found.id)
    confirm(f"Take {user} out of team {found.name}?", yes=yes)
    library.teams.remove(found.id, chosen)


@team.command()
@_team
@_user
@as_json_option
@with_library
def transfer(library: Tracker, team: str, user: str, as_json: bool) -> None:
    """Make the member USER the owner of TEAM; its owner becomes an admin."""
    found = team_named(library, team)
    chosen = user_named(library, user, team_id=found.id)
    print_members(library.teams.transfer(found.id, chosen), as_json)


def print_members(members: Sequence[Member], as_json: bool, *, empty: str = "no members") -> None:
    """Prints people and their roles."""
    if as_json:
        print_json(members)
    else:
        print_table(_MEMBER_COLUMNS, members, empty=empty)


def _print(team: Team, as_json: bool) -> None:
    if as_json:
        print_json(team)
        return
    print_record(
        {
            "id": str(team.id),
            "name": team.name,
            "description": team.description,
            "created": moment(team.created_at),
        }
    )
