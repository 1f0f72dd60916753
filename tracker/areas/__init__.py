"""What the library can do, area by area: the same in process and against a server.

The asynchronous areas below are the truth; :mod:`tracker.embedded` and :mod:`tracker.remote`
keep it, :mod:`tracker.blocking` offers it without ``await``. All methods raise the errors of
:mod:`tracker.domain.errors`. An id may be given as a UUID or as its text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tracker.areas.artifacts import AsyncArtifacts
from tracker.areas.hypotheses import AsyncHypotheses
from tracker.areas.identity import AsyncAudit, AsyncPermissions, AsyncTeams, AsyncTokens, AsyncUsers
from tracker.areas.ids import Id, uuid_of, word_of
from tracker.areas.tracking import AsyncExperiments, AsyncMetrics, AsyncProjects, AsyncQueries, AsyncScalars

__all__ = [
    "AsyncArtifacts", "AsyncAudit", "AsyncExperiments", "AsyncHypotheses", "AsyncMetrics",
    "AsyncPermissions", "AsyncProjects", "AsyncQueries", "AsyncScalars", "AsyncTeams", "AsyncTokens",
    "AsyncTracker", "AsyncUsers", "Id", "uuid_of", "word_of",
]  # fmt: skip


@dataclass(frozen=True)
class AsyncTracker:
    """An opened folder or server; leave it (``async with``) or ``await aclose()`` when done."""

    projects: AsyncProjects
    experiments: AsyncExperiments
    metrics: AsyncMetrics
    hypotheses: AsyncHypotheses
    scalars: AsyncScalars
    artifacts: AsyncArtifacts
    queries: AsyncQueries
    users: AsyncUsers
    teams: AsyncTeams
    tokens: AsyncTokens
    permissions: AsyncPermissions
    audit: AsyncAudit
    aclose: Callable[[], Awaitable[None]]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()
