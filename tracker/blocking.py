"""The library without ``await``: every call waits for one event loop in a background thread.

So it works in plain scripts, from several threads, and inside a running event loop (where it
holds that loop up while it waits; :func:`tracker.aopen` does not).
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from tracker.areas import (
    AsyncArtifacts,
    AsyncAudit,
    AsyncExperiments,
    AsyncHypotheses,
    AsyncMetrics,
    AsyncPermissions,
    AsyncProjects,
    AsyncQueries,
    AsyncScalars,
    AsyncTeams,
    AsyncTokens,
    AsyncTracker,
    AsyncUsers,
)
from tracker.domain.errors import Conflict

__all__ = [
    "Artifacts", "Audit", "Experiments", "Hypotheses", "LoopThread", "Metrics", "Permissions", "Projects",
    "Queries", "Scalars", "Teams", "Tokens", "Tracker", "Users",
]  # fmt: skip

CANCEL_SECONDS = 1.0

_P = ParamSpec("_P")
_T = TypeVar("_T")


async def _cancel_all() -> None:
    """Has what is under way end, and let go of what it holds: locks of the database outlive a loop."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=CANCEL_SECONDS)


class LoopThread:
    """One event loop in a daemon thread of this process."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tracker", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, _T]) -> Future[_T]:
        """Has the loop do `work`, without waiting for it.

        Raises:
            Conflict: the loop was stopped, or belongs to the process that forked this one.
        """
        if self._pid != os.getpid():
            work.close()
            raise Conflict("this tracker was opened before the process forked; open one of its own here")
        if self._loop.is_closed():
            work.close()
            raise Conflict("this tracker is closed; tracker.open() opens another one")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def wait(self, work: Coroutine[Any, Any, _T], timeout: float | None = None) -> _T:
        """What `work` gives, once the loop has done it.

        Raises:
            Conflict: as :meth:`submit`.
            TimeoutError: not within `timeout` seconds; it is cancelled.
        """
        future = self.submit(work)
        try:
            return future.result(timeout)
        except BaseException:
            future.cancel()  # an interrupted caller no longer wants it; a done one does not mind
            raise

    def stop(self, last: Callable[[], Coroutine[Any, Any, None]], timeout: float | None = None) -> None:
        """Does `last`, then ends the thread; in a forked child and the second time nothing.

        A loop that does not end within `timeout` seconds is left to the end of the process.
        """
        if self._pid != os.getpid() or self._loop.is_closed():
            return
        try:
            self.wait(last(), timeout)
        finally:
            with suppress(Exception):
                self.wait(_cancel_all(), 2 * CANCEL_SECONDS)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout)
            if not self._thread.is_alive():
                self._loop.close()


class _Area:
    """One asynchronous area and the loop that its calls run on."""

    def __init__(self, thread: LoopThread, area: Any) -> None:
        self._thread = thread
        self._area = area


def _blocking(
    method: Callable[Concatenate[Any, _P], Coroutine[Any, Any, _T]],
) -> Callable[Concatenate[_Area, _P], _T]:
    """The method of an area with the same arguments and answer, without ``await``."""

    @wraps(method)
    def call(self: _Area, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        answer: Coroutine[Any, Any, _T] = getattr(self._area, method.__name__)(*args, **kwargs)
        return self._thread.wait(answer)

    return call


class Projects(_Area):
    """Projects; see :class:`tracker.areas.AsyncProjects`."""

    list = _blocking(AsyncProjects.list)
    get = _blocking(AsyncProjects.get)
    find = _blocking(AsyncProjects.find)
    create = _blocking(AsyncProjects.create)
    edit = _blocking(AsyncProjects.edit)
    fields = _blocking(AsyncProjects.fields)
    check_name = _blocking(AsyncProjects.check_name)
    transfer = _blocking(AsyncProjects.transfer)
    delete = _blocking(AsyncProjects.delete)


class Experiments(_Area):
    """Experiments; see :class:`tracker.areas.AsyncExperiments`."""

    list = _blocking(AsyncExperiments.list)
    get = _blocking(AsyncExperiments.get)
    recent = _blocking(AsyncExperiments.recent)
    search = _blocking(AsyncExperiments.search)
    compare = _blocking(AsyncExperiments.compare)
    compare_at = _blocking(AsyncExperiments.compare_at)
    create = _blocking(AsyncExperiments.create)
    create_many = _blocking(AsyncExperiments.create_many)
    graph = _blocking(AsyncExperiments.graph)
    edit = _blocking(AsyncExperiments.edit)
    beat = _blocking(AsyncExperiments.beat)
    resume = _blocking(AsyncExperiments.resume)
    branches = _blocking(AsyncExperiments.branches)
    reorder = _blocking(AsyncExperiments.reorder)
    delete = _blocking(AsyncExperiments.delete)


class Queries(_Area):
    """Saved queries; see :class:`tracker.areas.AsyncQueries`."""

    list = _blocking(AsyncQueries.list)
    save = _blocking(AsyncQueries.save)
    edit = _blocking(AsyncQueries.edit)
    delete = _blocking(AsyncQueries.delete)


class Metrics(_Area):
    """Final values; see :class:`tracker.areas.AsyncMetrics`."""

    list = _blocking(AsyncMetrics.list)
    log = _blocking(AsyncMetrics.log)
    table = _blocking(AsyncMetrics.table)
    matrix = _blocking(AsyncMetrics.matrix)
    pareto = _blocking(AsyncMetrics.pareto)
    importance = _blocking(AsyncMetrics.importance)


class Hypotheses(_Area):
    """Hypotheses; see :class:`tracker.areas.AsyncHypotheses`."""

    list = _blocking(AsyncHypotheses.list)
    get = _blocking(AsyncHypotheses.get)
    recent = _blocking(AsyncHypotheses.recent)
    create = _blocking(AsyncHypotheses.create)
    edit = _blocking(AsyncHypotheses.edit)
    link = _blocking(AsyncHypotheses.link)
    unlink = _blocking(AsyncHypotheses.unlink)
    link_query = _blocking(AsyncHypotheses.link_query)
    unlink_query = _blocking(AsyncHypotheses.unlink_query)
    decide = _blocking(AsyncHypotheses.decide)
    decisions = _blocking(AsyncHypotheses.decisions)
    evidence = _blocking(AsyncHypotheses.evidence)
    delete = _blocking(AsyncHypotheses.delete)


class Scalars(_Area):
    """Time series; see :class:`tracker.areas.AsyncScalars`."""

    read = _blocking(AsyncScalars.read)
    sample = _blocking(AsyncScalars.sample)
    log = _blocking(AsyncScalars.log)
    append = _blocking(AsyncScalars.append)
    tags = _blocking(AsyncScalars.tags)
    summary = _blocking(AsyncScalars.summary)


class Artifacts(_Area):
    """Files and the code that ran; see :class:`tracker.areas.AsyncArtifacts`."""

    missing = _blocking(AsyncArtifacts.missing)
    upload = _blocking(AsyncArtifacts.upload)
    upload_many = _blocking(AsyncArtifacts.upload_many)
    put = _blocking(AsyncArtifacts.put)
    list = _blocking(AsyncArtifacts.list)
    get = _blocking(AsyncArtifacts.get)
    download = _blocking(AsyncArtifacts.download)
    read = _blocking(AsyncArtifacts.read)
    snapshot = _blocking(AsyncArtifacts.snapshot)
    snapshots = _blocking(AsyncArtifacts.snapshots)
    get_snapshot = _blocking(AsyncArtifacts.get_snapshot)


class Users(_Area):
    """Accounts; see :class:`tracker.areas.AsyncUsers`."""

    me = _blocking(AsyncUsers.me)
    list = _blocking(AsyncUsers.list)
    get = _blocking(AsyncUsers.get)
    find = _blocking(AsyncUsers.find)
    create = _blocking(AsyncUsers.create)
    edit = _blocking(AsyncUsers.edit)
    delete = _blocking(AsyncUsers.delete)


class Teams(_Area):
    """Teams; see :class:`tracker.areas.AsyncTeams`."""

    list = _blocking(AsyncTeams.list)
    get = _blocking(AsyncTeams.get)
    find = _blocking(AsyncTeams.find)
    create = _blocking(AsyncTeams.create)
    edit = _blocking(AsyncTeams.edit)
    delete = _blocking(AsyncTeams.delete)
    members = _blocking(AsyncTeams.members)
    add = _blocking(AsyncTeams.add)
    change = _blocking(AsyncTeams.change)
    remove = _blocking(AsyncTeams.remove)
    transfer = _blocking(AsyncTeams.transfer)


class Tokens(_Area):
    """API tokens; see :class:`tracker.areas.AsyncTokens`."""

    list = _blocking(AsyncTokens.list)
    create = _blocking(AsyncTokens.create)
    edit = _blocking(AsyncTokens.edit)
    revoke = _blocking(AsyncTokens.revoke)


class Permissions(_Area):
    """Who may do what; see :class:`tracker.areas.AsyncPermissions`."""

    grant = _blocking(AsyncPermissions.grant)
    deny = _blocking(AsyncPermissions.deny)
    list = _blocking(AsyncPermissions.list)
    withdraw = _blocking(AsyncPermissions.withdraw)
    explain = _blocking(AsyncPermissions.explain)
    members = _blocking(AsyncPermissions.members)
    share = _blocking(AsyncPermissions.share)
    unshare = _blocking(AsyncPermissions.unshare)


class Audit(_Area):
    """The audit log; see :class:`tracker.areas.AsyncAudit`."""

    list = _blocking(AsyncAudit.list)
    verify = _blocking(AsyncAudit.verify)


class Tracker:
    """An opened folder or server; leave it (``with``) or :meth:`close` it when done.

    Args:
        connect: opens the asynchronous library; called on the background loop.
    """

    def __init__(self, connect: Callable[[], Coroutine[Any, Any, AsyncTracker]]) -> None:
        thread = LoopThread()
        try:
            library = thread.wait(connect())
        except BaseException:
            thread.stop(_nothing)
            raise
        self.projects = Projects(thread, library.projects)
        self.experiments = Experiments(thread, library.experiments)
        self.metrics = Metrics(thread, library.metrics)
        self.hypotheses = Hypotheses(thread, library.hypotheses)
        self.scalars = Scalars(thread, library.scalars)
        self.artifacts = Artifacts(thread, library.artifacts)
        self.queries = Queries(thread, library.queries)
        self.users = Users(thread, library.users)
        self.teams = Teams(thread, library.teams)
        self.tokens = Tokens(thread, library.tokens)
        self.permissions = Permissions(thread, library.permissions)
        self.audit = Audit(thread, library.audit)
        self._finalizer = weakref.finalize(self, _shut, thread, library)

    def close(self) -> None:
        """Lets go of files and connections; safe to call twice."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


async def _nothing() -> None: ...


def _shut(thread: LoopThread, library: AsyncTracker) -> None:
    async def close() -> None:
        await library.aclose()

    thread.stop(close)
