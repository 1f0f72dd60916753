"""``tracker sync``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracker.domain.errors import TrackerError

from .errors import UNANSWERED
from .output import Column, as_json_option, print_json, print_table
from .target import Target, on_target

if TYPE_CHECKING:
    from tracker.journal.recovery import Recovered
    from tracker.settings import Settings

__all__ = ["sync"]


@click.command()
@click.option("--others", is_flag=True, help="Also runs of other machines and containers; they must be over.")
@on_target
@as_json_option
@click.pass_context
def sync(ctx: click.Context, *, as_json: bool, others: bool) -> None:
    """Send what runs left in the journal: offline, killed or cut off.

    Goes through the data folder and carries everything of runs that are over to where they were meant
    to go: the folder's own store, or the server that they named. What is sent is deleted from the
    journal; sending it twice keeps it once. With --url, everything that was meant for that server.

    A run of another machine or container may still go on, for all that can be seen from here: it is told
    of and left alone, unless --others says that all of them are over. Exit 3: something is still waiting.

    TRACKER_TOKEN is shown to the server that --url or TRACKER_URL names, and to those that runs of yours
    named; not to one that somebody else put into a shared folder.
    """
    found = asyncio.run(_synced(ctx.ensure_object(Target), others=others))
    if as_json:
        print_json([vars(each) for each in found])
    else:
        print_table(_COLUMNS, found, empty="nothing waits")
    if any(each.problem or each.waiting for each in found):
        ctx.exit(UNANSWERED)


_COLUMNS = (
    Column("run", lambda row: row.name),
    Column("to", lambda row: row.url or "this folder"),
    Column("values sent", lambda row: str(row.values), is_number=True),
    Column("bytes waiting", lambda row: str(row.waiting), is_number=True),
    Column("problem", lambda row: row.problem),
)


async def _synced(target: Target, *, others: bool) -> Sequence[Recovered]:
    from tracker.embedded import connect  # noqa: PLC0415 - late: it is what makes commands slow to start
    from tracker.journal.plan import address  # noqa: PLC0415
    from tracker.journal.recovery import (  # noqa: PLC0415
        Recovered,
        destinations,
        elsewhere,
        own_destinations,
        recover,
    )
    from tracker.remote import connect as connect_to  # noqa: PLC0415
    from tracker.settings import Settings  # noqa: PLC0415

    settings = Settings.load(data=target.data)
    data = Path(settings.data)
    wanted = destinations(data)
    if target.url is not None:
        wanted &= {address(target.url)}
    trusted = own_destinations(data) | {address(target.url), address(settings.url)}
    found: list[Recovered] = []
    if None in wanted:
        async with await connect(settings, "shell", told=found.append) as library:
            if others:
                settled = [each for each in found if not each.problem]
                found = settled + await recover(library, data, others=True)
    for url in sorted(each for each in wanted if each is not None):
        try:
            async with await connect_to(url, _token_for(url, settings, url in trusted)) as library:
                found += await recover(library, data, url, others=others)
        except TrackerError as error:  # of this server; the others are still to come
            found.append(Recovered("", url, problem=error.detail))
    return found if others else [*found, *elsewhere(data, wanted)]


def _token_for(url: str, settings: Settings, is_trusted: bool) -> str | None:
    from tracker.credentials import Credentials  # noqa: PLC0415  (late, as above)

    if is_trusted and settings.token is not None:
        return settings.token
    return None if settings.credentials is None else Credentials(settings.credentials).find(url)
