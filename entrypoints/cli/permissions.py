"""``tracker permission``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from tracker.domain.identity.permissions.grant import Grant

from .account_lookup import team_named, user_named
from .errors import REFUSED
from .lookup import project_named
from .output import Column, as_json_option, print_json, print_record, print_table
from .target import with_library
from .text import moment
from .values import ACTION

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["permission"]

_COLUMNS = (
    Column("id", lambda grant: str(grant.id)),
    Column("user", lambda grant: str(grant.user_id)),
    Column("effect", lambda grant: grant.effect.value),
    Column("action", lambda grant: grant.action.value),
    Column("until", lambda grant: moment(grant.until)),
)

_user = click.argument("user", metavar="USER")
_action = click.argument("action", metavar="ACTION", type=ACTION)
_until = click.option(
    "--until", metavar="DATE", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]),
    help="From this moment (UTC) on it no longer holds, such as 2030-12-31.",
)  # fmt: skip


def _on_place(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command ``--project`` and ``--team``."""
    project = click.option("--project", help="On this project: id or name.")
    return project(click.option("--team", help="In this team: id or name.")(command))


@click.group()
def permission() -> None:
    """Permissions: single actions, beside roles.

    They hold on one project or in one team. USER is an id or an e-mail address, ACTION such as
    scalars.log. What is denied stays denied, whatever a role says; `tracker permission explain`
    says what comes of it all.
    """


@permission.command()
@_user
@_action
@_on_place
@_until
@as_json_option
@with_library
def grant(
    library: Tracker, *, user: str, action: str, until: datetime | None, as_json: bool, **place: Any
) -> None:
    """Allow USER the ACTION on a project or in a team."""
    where = _where(library, **place)
    chosen = user_named(library, user, **where)
    _print(library.permissions.grant(chosen, action, until=_utc(until), **where), as_json)


@permission.command()
@_user
@_action
@_on_place
@_until
@as_json_option
@with_library
def deny(
    library: Tracker, *, user: str, action: str, until: datetime | None, as_json: bool, **place: Any
) -> None:
    """Deny USER the ACTION on a project or in a team."""
    where = _where(library, **place)
    chosen = user_named(library, user, **where)
    _print(library.permissions.deny(chosen, action, until=_utc(until), **where), as_json)


@permission.command("list")
@_on_place
@as_json_option
@with_library
def list_permissions(library: Tracker, *, as_json: bool, **place: Any) -> None:
    """List what was allowed and denied there, oldest first; what has run out too."""
    found = library.permissions.list(**_where(library, **place))
    if as_json:
        print_json(found)
    else:
        print_table(
            _COLUMNS, found, empty="nothing beside what roles say; `tracker permission grant` adds it"
        )


@permission.command()
@click.argument("grant", metavar="ID", type=click.UUID)
@with_library
def withdraw(library: Tracker, grant: UUID) -> None:
    """Withdraw the permission or denial with this ID."""
    library.permissions.withdraw(grant)


@permission.command()
@_user
@_action
@_on_place
@as_json_option
@with_library
def explain(library: Tracker, *, user: str, action: str, as_json: bool, **place: Any) -> None:
    """Say whether USER may do ACTION there, and why. Exit 1: they may not."""
    where = _where(library, **place)
    chosen = user_named(library, user, **where)
    answer = library.permissions.explain(chosen, action, **where)
    if as_json:
        print_json(answer)
    else:
        click.echo(f"{'yes' if answer.allowed else 'no'}: {answer.why}")
    if not answer.allowed:
        click.get_current_context().exit(REFUSED)


def _where(library: Tracker, *, project: str | None, team: str | None) -> dict[str, UUID]:
    if (project is None) == (team is None):
        raise click.UsageError("give either --project or --team")
    if project is not None:
        return {"project_id": project_named(library, project).id}
    return {"team_id": team_named(library, team or "").id}


def _utc(typed: datetime | None) -> datetime | None:
    return None if typed is None else typed.replace(tzinfo=UTC)


def _print(grant: Grant, as_json: bool) -> None:
    if as_json:
        print_json(grant)
        return
    print_record(
        {
            "id": str(grant.id),
            "user": str(grant.user_id),
            "effect": grant.effect.value,
            "action": grant.action.value,
            "project": str(grant.project_id or ""),
            "team": str(grant.team_id or ""),
            "until": moment(grant.until),
        }
    )
