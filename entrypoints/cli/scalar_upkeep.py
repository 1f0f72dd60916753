"""``tracker scalars maintain|stats|verify``: the store behind an installation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from tracker.domain.projects.project import Project

from .errors import REFUSED, Failure
from .lookup import project_named
from .output import Column, as_json_option, print_json, print_table
from .progress import progress
from .target import Target, on_folder

if TYPE_CHECKING:
    from tracker.ports.scalars import ScalarStore

__all__ = ["maintain", "stats", "verify"]

_T = TypeVar("_T")

_STATS = (
    Column("project", lambda row: row["project"]),
    Column("experiments", lambda row: str(row["experiments"]), is_number=True),
    Column("series", lambda row: str(row["series"]), is_number=True),
    Column("points", lambda row: str(row["points"]), is_number=True),
    Column("not compressed", lambda row: str(row["loose"] or ""), is_number=True),
    Column("bytes", lambda row: str(row["bytes"]), is_number=True),
    Column("bytes/point", lambda row: _per_point(row["bytes"], row["points"]), is_number=True),
)
_FAULTS = (
    Column("project", lambda row: row["project"]),
    Column("experiment", lambda row: str(row["experiment_id"] or "")),
    Column("scalar", lambda row: row["name"] or ""),
    Column("problem", lambda row: row["problem"]),
)

_project = click.option("--project", help="Id or name; without it all projects.")


@click.command()
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="About how long it may take.",
)
@on_folder
@click.pass_context
def maintain(ctx: click.Context, seconds: float) -> None:
    """Compress what waits for it and give back unused room, of all projects."""
    _over_store(ctx, lambda store: store.maintain(seconds))


@click.command()
@_project
@as_json_option
@on_folder
@click.pass_context
def stats(ctx: click.Context, project: str | None, as_json: bool) -> None:
    """Show what the scalars of each project take."""
    chosen = _projects(ctx, project)

    async def ask(store: ScalarStore) -> list[dict[str, object]]:
        return [
            {"project": each.name, "project_id": each.id, **(await store.stats(each.id))._asdict()}
            for each in chosen
        ]

    rows = _over_store(ctx, ask)
    if as_json:
        print_json(rows)
    else:
        print_table(_STATS, rows, empty="no projects; `tracker project create` makes one")


@click.command()
@_project
@as_json_option
@on_folder
@click.pass_context
def verify(ctx: click.Context, project: str | None, as_json: bool) -> None:
    """Read every point, compute checksums and summaries anew, and name what is wrong; exit 1 then."""
    chosen = _projects(ctx, project)

    async def ask(store: ScalarStore) -> list[dict[str, object]]:
        with progress("verifying", len(chosen), "projects") as advance:
            found = []
            for each in chosen:
                faults = await store.verify(each.id)
                found += [
                    {"project": each.name, "project_id": each.id, **fault._asdict()} for fault in faults
                ]
                advance(1)
        return found

    faults = _over_store(ctx, ask)
    if as_json:
        print_json(faults)
    else:
        print_table(_FAULTS, faults, empty=f"ok: {len(chosen)} projects are as they were written")
    if faults:
        raise Failure(f"{len(faults)} faults in the scalars; restore them from a copy", REFUSED)


def _projects(ctx: click.Context, key: str | None) -> list[Project]:
    target = ctx.ensure_object(Target)
    target.settings()  # refuses a server before anything is opened
    with target.open() as library:
        return [project_named(library, key)] if key else list(library.projects.list())


def _over_store(ctx: click.Context, ask: Callable[[ScalarStore], Awaitable[_T]]) -> _T:
    from tracker.container import scalar_store  # noqa: PLC0415  (late: numpy and a store)

    async def run() -> _T:
        store = scalar_store(ctx.ensure_object(Target).settings())
        try:
            return await ask(store)
        finally:
            await store.close()

    return asyncio.run(run())


def _per_point(total: int, points: int) -> str:
    return f"{total / points:.1f}" if points else ""
