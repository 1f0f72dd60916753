"""``tracker db``: the schema of the database of a folder."""

from __future__ import annotations

import click

from .target import Target, on_folder

__all__ = ["db"]


@click.group()
def db() -> None:
    """The database's schema: look at it and move it.

    The database is DATABASE_URL, or else tracker.db in --data, or else ./data.db.
    """


def _database_url(ctx: click.Context) -> str:
    return ctx.ensure_object(Target).settings().database_url


@db.command()
@click.argument("revision", default="head")
@on_folder
@click.pass_context
def upgrade(ctx: click.Context, revision: str) -> None:
    """Move the schema up to REVISION, by default the newest."""
    from tracker.adapters.sql import migrations  # noqa: PLC0415  (late: SQLAlchemy and Alembic)

    migrations.upgrade(_database_url(ctx), revision)


@db.command()
@click.argument("revision", default="-1")
@on_folder
@click.pass_context
def downgrade(ctx: click.Context, revision: str) -> None:
    """Move the schema down to REVISION, by default by one; what newer ones hold is lost.

    A relative REVISION goes behind two dashes: tracker db downgrade -- -2
    """
    from tracker.adapters.sql import migrations  # noqa: PLC0415

    migrations.downgrade(_database_url(ctx), revision)


@db.command()
@on_folder
@click.pass_context
def current(ctx: click.Context) -> None:
    """Print the revision the database is at."""
    from tracker.adapters.sql import migrations  # noqa: PLC0415

    click.echo(migrations.current(_database_url(ctx)) or "none; `tracker db upgrade` makes the tables")


@db.command()
@on_folder
@click.pass_context
def check(ctx: click.Context) -> None:
    """Check that migrations and tables agree; exit 3 when they do not."""
    from tracker.adapters.sql import migrations  # noqa: PLC0415

    migrations.check(_database_url(ctx))
    click.echo("ok: the schema is the one this version of tracker works with")


@db.command()
@click.argument("message")
@on_folder
@click.pass_context
def revision(ctx: click.Context, message: str) -> None:
    """Write a new migration from what changed in the tables; works in a checkout."""
    from tracker.adapters.sql import migrations  # noqa: PLC0415

    click.echo(migrations.revision(_database_url(ctx), message))
