"""``tracker user``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from tracker.areas.identity import Account

from .account_lookup import user_named
from .confirm import confirm, yes_option
from .output import Column, as_json_option, print_json, print_record, print_table
from .secret_input import new_password, password_stdin_option
from .target import Target, on_target, with_library
from .text import moment

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["print_account", "user"]

_COLUMNS = (
    Column("id", lambda account: str(account.id)),
    Column("e-mail", lambda account: account.email),
    Column("name", lambda account: account.display_name),
    Column("rights", lambda account: "administrator" if account.is_superuser else ""),
    Column("state", lambda account: "active" if account.is_active else "inactive"),
    Column("created", lambda account: moment(account.created_at)),
)

_user = click.argument("user", metavar="USER")


@click.group()
def user() -> None:
    """Users: who may log in.

    USER is an id or an e-mail address. Against a server this needs an administrator's login: tracker
    login URL --session
    """


@user.command()
@click.argument("address", metavar="[EMAIL]", required=False)
@click.option("--email", help="The same as EMAIL.")
@click.option("--admin", is_flag=True, help="They administer the installation and may do everything.")
@click.option("--name", help="Shown to others (default: what stands before the @).")
@password_stdin_option
@click.option("--no-password", is_flag=True, help="They sign in at the identity provider only.")
@on_target
@as_json_option
@click.pass_context
def create(
    ctx: click.Context,
    *,
    address: str | None,
    email: str | None,
    admin: bool,
    name: str | None,
    password_stdin: bool,
    no_password: bool,
    as_json: bool,
) -> None:
    """Create a user with this EMAIL; asks for the password twice, or reads it from stdin."""
    if (address is None) == (email is None):
        raise click.UsageError("give the e-mail address once: EMAIL or --email")
    if no_password and password_stdin:
        raise click.UsageError("--no-password and --password-stdin exclude each other")
    password = None if no_password else new_password(from_stdin=password_stdin)
    with _private_files(), ctx.ensure_object(Target).open() as library:
        made = library.users.create(address or email or "", password, display_name=name, is_superuser=admin)
    print_account(made, as_json)


@user.command("list")
@as_json_option
@with_library
def list_users(library: Tracker, as_json: bool) -> None:
    """List all users."""
    found = library.users.list()
    if as_json:
        print_json(found)
    else:
        print_table(_COLUMNS, found, empty="no users; `tracker user create` makes one")


@user.command()
@_user
@as_json_option
@with_library
def show(library: Tracker, user: str, as_json: bool) -> None:
    """Show USER."""
    print_account(library.users.get(user_named(library, user)), as_json)


@user.command()
@_user
@click.option("--name", help="Shown to others.")
@click.option("--admin/--no-admin", default=None, help="Whether they administer the installation.")
@as_json_option
@with_library
def edit(library: Tracker, user: str, name: str | None, admin: bool | None, as_json: bool) -> None:
    """Change USER; what is not given stays as it is."""
    changes: dict[str, Any] = {}
    if name is not None:
        changes["display_name"] = name
    if admin is not None:
        changes["is_superuser"] = admin
    if not changes:
        raise click.UsageError("nothing to change: give at least one option")
    print_account(library.users.edit(user_named(library, user), **changes), as_json)


@user.command()
@_user
@as_json_option
@with_library
def activate(library: Tracker, user: str, as_json: bool) -> None:
    """Let USER in again."""
    print_account(library.users.edit(user_named(library, user), is_active=True), as_json)


@user.command()
@_user
@as_json_option
@with_library
def deactivate(library: Tracker, user: str, as_json: bool) -> None:
    """Keep USER out, whatever they show; their sessions end, and nothing of theirs is lost."""
    print_account(library.users.edit(user_named(library, user), is_active=False), as_json)


@user.command("set-password")
@_user
@password_stdin_option
@as_json_option
@with_library
def set_password(library: Tracker, user: str, password_stdin: bool, as_json: bool) -> None:
    """Give USER another password, which ends their sessions; asks twice, or reads stdin."""
    chosen = user_named(library, user)
    password = new_password(from_stdin=password_stdin)
    print_account(library.users.edit(chosen, password=password), as_json)


@user.command()
@_user
@click.option("--transfer-to", metavar="USER", help="Who gets their projects and teams.")
@click.option("--delete-everything", is_flag=True, help="Their projects and teams go with them.")
@yes_option
@with_library
def delete(library: Tracker, user: str, transfer_to: str | None, delete_everything: bool, yes: bool) -> None:
    """Delete USER; say what becomes of the projects and teams they own."""
    if transfer_to is not None and delete_everything:
        raise click.UsageError("--transfer-to and --delete-everything exclude each other")
    chosen = user_named(library, user)
    heir = None if transfer_to is None else user_named(library, transfer_to)
    fate = " and all their projects and teams" if delete_everything else ""
    confirm(f"Delete user {user}{fate}?", yes=yes)
    library.users.delete(chosen, transfer_to=heir, delete_everything=delete_everything)


def print_account(account: Account, as_json: bool) -> None:
    """Prints one user whole."""
    if as_json:
        print_json(account)
        return
    print_record(
        {
            "id": str(account.id),
            "e-mail": account.email,
            "name": account.display_name,
            "rights": "administrator" if account.is_superuser else "",
            "state": "active" if account.is_active else "inactive",
            "created": moment(account.created_at),
        }
    )


@contextmanager
def _private_files() -> Iterator[None]:
    """A database that is made for its first user is nobody else's to read."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
