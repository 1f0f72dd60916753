"""``tracker token``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tracker.areas.identity import Token

from .account_lookup import token_named
from .confirm import confirm, yes_option
from .output import Column, as_json_option, print_json, print_record, print_table
from .target import with_library
from .text import moment

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["token"]

_COLUMNS = (
    Column("id", lambda token: str(token.id)),
    Column("name", lambda token: token.name),
    Column(
        "scopes", lambda token: f"{len(token.scopes)} actions" if len(token.scopes) > 3 else _scopes(token)
    ),
    Column("state", lambda token: "revoked" if token.revoked else "valid"),
    Column("expires", lambda token: moment(token.expires_at)),
    Column("last used", lambda token: moment(token.last_used_at)),
)

_token = click.argument("token", metavar="TOKEN")
_days = click.IntRange(1, 3650)


@click.group()
def token() -> None:
    """API tokens: a part of what you may do, for a program.

    TOKEN is an id or a name. The owner of a folder needs none; on a server each is yours alone.
    """


@token.command()
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, required=True,
    help="An action, such as scalars.log; experiments.* is all of a kind, * all there are; repeatable.",
)  # fmt: skip
@click.option("--description", default="")
@click.option("--expires-in-days", type=_days, help="From 1 to 3650 (default: never).")
@as_json_option
@with_library
def create(
    library: Tracker,
    name: str,
    *,
    scopes: tuple[str, ...],
    description: str,
    expires_in_days: int | None,
    as_json: bool,
) -> None:
    """Create a token called NAME and print it, this once, alone on stdout."""
    made = library.tokens.create(
        name, scopes=scopes, description=description, expires_in_days=expires_in_days
    )
    if as_json:
        print_json(made)
    else:
        click.echo(made.token)


@token.command("list")
@click.option("--all", "with_revoked", is_flag=True, help="Revoked ones too.")
@as_json_option
@with_library
def list_tokens(library: Tracker, with_revoked: bool, as_json: bool) -> None:
    """List your tokens, oldest first; never the tokens themselves."""
    found = [each for each in library.tokens.list() if with_revoked or not each.revoked]
    if as_json:
        print_json(found)
    else:
        print_table(_COLUMNS, found, empty="no tokens; `tracker token create NAME --scope ...` makes one")


@token.command()
@_token
@click.option("--name")
@click.option("--description")
@click.option("--scope", "scopes", multiple=True, help="Replaces those it has; repeatable.")
@click.option("--expires-in-days", type=_days, help="From now.")
@click.option("--never-expires", is_flag=True)
@as_json_option
@with_library
def edit(
    library: Tracker, token: str, *, scopes: tuple[str, ...], never_expires: bool, as_json: bool, **given: Any
) -> None:
    """Change TOKEN; what is not given stays as it is."""
    changes = {name: value for name, value in given.items() if value is not None}
    if never_expires and "expires_in_days" in changes:
        raise click.UsageError("--expires-in-days and --never-expires exclude each other")
    if never_expires:
        changes["expires_in_days"] = None
    if scopes:
        changes["scopes"] = scopes
    if not changes:
        raise click.UsageError("nothing to change: give at least one option")
    _print(library.tokens.edit(token_named(library, token).id, **changes), as_json)


@token.command()
@_token
@yes_option
@with_library
def revoke(library: Tracker, token: str, yes: bool) -> None:
    """End TOKEN for good."""
    found = token_named(library, token)
    confirm(f"Revoke token {found.name}, for good?", yes=yes)
    library.tokens.revoke(found.id)


def _scopes(token: Token) -> str:
    return ", ".join(sorted(token.scopes))


def _print(token: Token, as_json: bool) -> None:
    if as_json:
        print_json(token)
        return
    print_record(
        {
            "id": str(token.id),
            "name": token.name,
            "description": token.description,
            "scopes": _scopes(token),
            "created": moment(token.created_at),
            "expires": moment(token.expires_at),
            "last used": moment(token.last_used_at),
        }
    )
