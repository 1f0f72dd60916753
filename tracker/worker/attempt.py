"""One attempt, in the process that works: from the handle to the end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import traceback
from collections.abc import Callable, Coroutine, Iterator
from importlib import import_module
from typing import Any, TypeAlias

from tracker.adapters.runners.handover import Handover, WorkerConfig
from tracker.domain.errors import Conflict, TrackerError, Unauthenticated, Unavailable
from tracker.domain.evaluation.jobs.job import JobKind
from tracker.ports.evaluation.desk import Admission, Desk
from tracker.worker.desks import desk_for
from tracker.worker.endings import Ended, Ending, in_a_line
from tracker.worker.lease_keeper import DeskLost, LeaseKeeper

__all__ = ["Work", "attempt", "attend", "work_for"]

Work: TypeAlias = Callable[[Desk, Admission, LeaseKeeper], Coroutine[Any, Any, None]]
"""What does the work of a kind of job; see :mod:`tracker.worker`."""

_MODULES = {
    JobKind.INFERENCE: "tracker.worker.inference",
    JobKind.ANNOTATE: "tracker.worker.inference",
    JobKind.EVALUATOR: "tracker.worker.evaluating",
}
_TRIES, _PAUSE = 60, 1.0  # at the door of the desk; seconds
_GRACE = 10.0  # seconds for what is under way when the attempt has to end


def attempt(config: WorkerConfig, handed_over: Handover) -> Ending:
    """Does the attempt."""
    return asyncio.run(_attempt(config, handed_over))


def work_for(kind: JobKind) -> Work:
    """The function that does this kind of job; imported late, since each needs much."""
    work: Work = import_module(_MODULES[kind]).run
    return work


async def _attempt(config: WorkerConfig, handed_over: Handover) -> Ending:
    try:
        async with desk_for(config, handed_over) as desk:
            return await attend(desk, config, work_for(config.errand.kind))
    except Unavailable as error:
        return Ending(Ended.CRASHED, error.detail)
    except TrackerError as error:
        return Ending(Ended.REFUSED, error.detail)


async def attend(desk: Desk, config: WorkerConfig, work: Work, *, grace: float = _GRACE) -> Ending:
    """Takes up the errand at the desk, and has the work done under its lease."""
    try:
        admission = await _admitted(desk, config.errand.handle)
    except Unauthenticated as error:
        # Perhaps the answer to the first showing of the handle was lost; the next attempt has another.
        return Ending(Ended.CRASHED, f"the desk did not admit it: {error.detail}")
    except (Conflict, Unavailable) as error:
        return Ending(Ended.CRASHED, error.detail)
    async with LeaseKeeper(desk, config.rules) as lease:
        with _ends_by_signal(lease):
            task = asyncio.create_task(work(desk, admission, lease))
            await _until_done(task, lease, grace)
        return _ending(task, lease, config)


async def _admitted(desk: Desk, handle: str) -> Admission:
    for _ in range(_TRIES):
        with contextlib.suppress(Unavailable):
            return await desk.admit(handle)
        await asyncio.sleep(_PAUSE)
    return await desk.admit(handle)


@contextlib.contextmanager
def _ends_by_signal(lease: LeaseKeeper) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, lease.end, Conflict("it was told to end (SIGTERM)"))
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


async def _until_done(task: asyncio.Task[None], lease: LeaseKeeper, grace: float) -> None:
    """What is under way when the attempt has to end may end, for a while: it is paid."""
    over = asyncio.create_task(lease.until_over())
    try:
        await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({task}, timeout=grace)
    finally:
        over.cancel()
        task.cancel()
        await asyncio.wait({task, over})


def _ending(task: asyncio.Task[None], lease: LeaseKeeper, config: WorkerConfig) -> Ending:
    error = None if task.cancelled() else task.exception()
    if error is None and not task.cancelled():
        return Ending(Ended.FINISHED)
    if lease.ended is not None:
        return Ending(Ended.CRASHED, lease.ended.detail)
    causes = list(_leaves(error or asyncio.CancelledError()))
    for cause in causes:
        if isinstance(cause, Conflict | DeskLost):
            return Ending(Ended.CRASHED, cause.detail)
    for cause in causes:
        if isinstance(cause, TrackerError):
            return Ending(Ended.REFUSED, cause.detail)
    traceback.print_exception(error)
    return Ending(Ended.REFUSED, in_a_line(causes[0], config.errand.memory_bytes))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """Of a group, the errors in it."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error
