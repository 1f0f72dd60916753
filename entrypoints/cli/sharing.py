"""``tracker project share|unshare|members|transfer``: whose a project is, and who else sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .account_lookup import user_named
from .confirm import confirm, yes_option
from .lookup import project_named
from .output import as_json_option
from .project_output import print_project
from .target import with_library
from .teams import print_members
from .values import ROLE

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["members", "share", "transfer", "unshare"]

_project = click.argument("project", metavar="PROJECT")
_user = click.argument("user", metavar="USER")


@click.command()
@_project
@_user
@click.argument("role", metavar="ROLE", type=ROLE)
@as_json_option
@with_library
def share(library: Tracker, project: str, user: str, role: str, as_json: bool) -> None:
    """Give USER (an id or an e-mail address) the ROLE viewer, member or admin on PROJECT."""
    found = project_named(library, project)
    chosen = user_named(library, user, project_id=found.id)
    print_members([library.permissions.share(found.id, chosen, role)], as_json)


@click.command()
@_project
@_user
@yes_option
@with_library
def unshare(library: Tracker, project: str, user: str, yes: bool) -> None:
    """Take USER's role on PROJECT away."""
    found = project_named(library, project)
    chosen = user_named(library, user, project_id=found.id)
    confirm(f"Take away what {user} may do on project {found.name}?", yes=yes)
    library.permissions.unshare(found.id, chosen)


@click.command()
@_project
@as_json_option
@with_library
def members(library: Tracker, project: str, as_json: bool) -> None:
    """List with whom PROJECT is shared, beside its owner and its team."""
    found = project_named(library, project)
    empty = "shared with nobody; `tracker project share` shares it"
    print_members(library.permissions.members(found.id), as_json, empty=empty)


@click.command()
@_project
@_user
@as_json_option
@with_library
def transfer(library: Tracker, project: str, user: str, as_json: bool) -> None:
    """Make USER the owner of PROJECT."""
    found = project_named(library, project)
    chosen = user_named(library, user, project_id=found.id)
    print_project(library.projects.transfer(found.id, chosen), as_json)
