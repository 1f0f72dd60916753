"""``tracker audit``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from tracker.domain.identity.audit.entry import AuditEntry

from .account_lookup import team_named
from .errors import REFUSED
from .lookup import project_named
from .output import Column, as_json_option, plain, print_json, print_table
from .target import with_library
from .text import moment

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["audit", "entries"]

_PAGE = 1000

_COLUMNS = (
    Column("number", lambda entry: str(entry.number), is_number=True),
    Column("at", lambda entry: moment(entry.at)),
    Column("what", lambda entry: entry.what),
    Column("outcome", lambda entry: entry.outcome.value),
    Column("on", lambda entry: f"{entry.kind} {entry.key}"),
    Column("user", lambda entry: str(entry.user_id or "")),
    Column("from", lambda entry: entry.origin),
    Column("detail", lambda entry: ", ".join(f"{name}={value}" for name, value in entry.detail.items())),
)


def _of_place(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command ``--project`` and ``--team``."""
    project = click.option("--project", help="Of this project: id or name.")
    return project(click.option("--team", help="Of this team and its projects: id or name.")(command))


@click.group()
def audit() -> None:
    """The audit log: who did what, when and from where.

    Owners read that of their projects and teams, administrators all of it.
    """


@audit.command("list")
@_of_place
@click.option("--after", type=click.IntRange(0), default=0, help="Only entries with a higher number.")
@click.option("--limit", type=click.IntRange(1, _PAGE), default=100, show_default=True)
@as_json_option
@with_library
def list_entries(library: Tracker, *, after: int, limit: int, as_json: bool, **place: Any) -> None:
    """List a page of the log, by number."""
    found = library.audit.list(**_where(library, **place), after=after, limit=limit)
    if as_json:
        print_json(found)
    else:
        print_table(_COLUMNS, found, empty="no entries")


@audit.command()
@_of_place
@click.option("--after", type=click.IntRange(0), default=0, help="Only entries with a higher number.")
@with_library
def export(library: Tracker, *, after: int, **place: Any) -> None:
    """Print the whole log as JSON, one entry a line."""
    for entry in entries(library, _where(library, **place), after=after):
        # To the microsecond: the chain's digests are made over it.
        line = {**plain(entry), "at": entry.at.isoformat(timespec="microseconds")}
        click.echo(json.dumps(line, ensure_ascii=False))


@audit.command()
@click.option("--head", help="What an earlier check printed; finds a log that was cut off or written anew.")
@as_json_option
@with_library
def verify(library: Tracker, head: str | None, as_json: bool) -> None:
    """Check the chain of the whole log and print its head, to be kept elsewhere. Exit 1: it is broken."""
    report = library.audit.verify(head)
    if as_json:
        print_json(report)
    else:
        for problem in report.problems:
            click.echo(f"tracker: {problem}", err=True)
        click.echo(report.head)
    if report.problems:
        click.get_current_context().exit(REFUSED)


def entries(
    library: Tracker, where: dict[str, UUID], *, after: int = 0, at_once: int = _PAGE
) -> Iterator[AuditEntry]:
    """All entries of a place behind the number `after`, however many; asks for so many at once."""
    while page := library.audit.list(**where, after=after, limit=at_once):
        yield from page
        after = page[-1].number


def _where(library: Tracker, *, project: str | None, team: str | None) -> dict[str, UUID]:
    if project is not None and team is not None:
        raise click.UsageError("--project and --team exclude each other")
    if project is not None:
        return {"project_id": project_named(library, project).id}
    return {} if team is None else {"team_id": team_named(library, team).id}
