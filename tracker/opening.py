"""Opens the library on a folder or on a server, with ``await`` or without."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from tracker.areas import AsyncTracker
from tracker.blocking import Tracker
from tracker.domain.errors import Invalid

if TYPE_CHECKING:
    from tracker.settings import Settings

__all__ = ["aopen", "connect", "environment", "job_variables", "open", "token_for"]


def open(data: str | Path | None = None, *, url: str | None = None, token: str | None = None) -> Tracker:
    """Opens a folder, or a server.

    Args:
        data: the folder; without it, what the environment's settings say.
        url: address of a server to use instead, such as ``http://127.0.0.1:8000``.
        token: bearer token for the server; without it, ``TRACKER_TOKEN``, else what ``tracker login`` kept.

    Raises:
        Invalid: both a folder and a server are named, or the address cannot be used.
        Unavailable: the database does not answer.
    """
    return Tracker(lambda: connect(data, url, token))


@asynccontextmanager
async def aopen(
    data: str | Path | None = None, *, url: str | None = None, token: str | None = None
) -> AsyncIterator[AsyncTracker]:
    """The same for asyncio: ``async with tracker.aopen("data") as tr: await tr.projects.list()``."""
    async with await connect(data, url, token) as library:
        yield library


def environment() -> Mapping[str, str]:
    """The process's environment, for what is told of a run or passed on to another process."""
    from tracker.settings import environment as found  # noqa: PLC0415

    return found()


def job_variables() -> Mapping[str, str]:
    """What Slurm and Kubernetes tell the processes that they run, as far as there is any."""
    from tracker.settings import job_variables as found  # noqa: PLC0415

    return found()


async def connect(
    data: str | PurePath | None, url: str | None = None, token: str | None = None
) -> AsyncTracker:
    """What :func:`aopen` enters, for the caller to close. Raises what :func:`open` raises."""
    from tracker.settings import Settings  # noqa: PLC0415  (late: `import tracker` stays cheap)

    if url is not None:
        if data is not None:
            raise Invalid.field("url", "give either a folder or a server, not both")
        from tracker.remote import connect as connect_to  # noqa: PLC0415  (late: only now is HTTP needed)

        return await connect_to(url, _token(Settings.load(), url) if token is None else token)
    from tracker.embedded import connect  # noqa: PLC0415  (late: only now is a database needed)

    return await connect(Settings.load(data=None if data is None else str(data)))


def token_for(url: str) -> str | None:
    """The token that a server is shown: ``TRACKER_TOKEN``, else what ``tracker login`` kept."""
    from tracker.settings import Settings  # noqa: PLC0415  (late, as above)

    return _token(Settings.load(), url)


def _token(settings: Settings, url: str) -> str | None:
    if settings.token is not None or settings.credentials is None:
        return settings.token
    from tracker.credentials import Credentials  # noqa: PLC0415  (late, as above)

    return Credentials(settings.credentials).find(url)
