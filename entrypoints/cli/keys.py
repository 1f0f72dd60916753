"""``tracker keys``: what signs the sessions of a folder's server."""

from __future__ import annotations

from datetime import timedelta

import click

from .confirm import confirm, yes_option
from .output import as_json_option, print_json
from .target import Target, on_folder

__all__ = ["keys"]


@click.group()
def keys() -> None:
    """The keys that sign login sessions.

    They are in signing-keys.json of a server's folder.
    """


@keys.command()
@click.option("--now", "at_once", is_flag=True, help="Drop the older keys at once: everybody is logged out.")
@yes_option
@on_folder
@as_json_option
@click.pass_context
def rotate(ctx: click.Context, at_once: bool, yes: bool, as_json: bool) -> None:
    """Make a new key that signs logins from now on; running servers take it up by themselves.

    Older keys still open the sessions they signed, and go when the last of those has ended. API tokens
    are not signed and stay.
    """
    settings = ctx.ensure_object(Target).settings()
    from tracker.container import build  # noqa: PLC0415  (late: SQLAlchemy)

    if at_once:
        confirm("End every session of every user?", yes=yes)
    container = build(settings)
    longest = timedelta() if at_once else timedelta(hours=settings.session_hours)
    made = container.signing_keys().rotate(container.clock().now(), longest)
    held = len(container.signing_keys().keys())
    if as_json:
        print_json({"key": made.name, "keys": held})
    else:
        click.echo(f"key {made.name} signs from now on; {held} in all open sessions")
