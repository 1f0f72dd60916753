"""Runs end with the reason when a signal ends their process.

Python lets one handler stand for each signal. So ours is set only where the default stands, by the main
thread; it never takes anybody's place. Where a framework sets its own later and still calls ours (as
those do that chain), ours only takes note: what becomes of the process is then the framework's business.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType

from tracker.domain.experiments.ending import EndKind
from tracker.opening import job_variables
from tracker.run.reasons import Ending

__all__ = ["DEADLINE", "ending_by", "last_signal", "on_signal"]

DEADLINE = 5.0
"""Seconds that callbacks have together. Docker kills 10 seconds after SIGTERM, Slurm and Kubernetes 30."""

Callback = Callable[[EndKind, str], object]

_NAMES = ("SIGTERM", "SIGHUP", "SIGXCPU")
_SLURM_NAMES = ("SIGUSR1",)
_ENDS_SOON = 120.0  # seconds before its time limit from which on Slurm ends a job for that reason

_callbacks: dict[int, Callback] = {}
_set: set[int] = set()
_noted: list[Ending] = []
_numbers = iter(range(2**62))
_held = threading.local()
_forks_watched = False


def on_signal(callback: Callback) -> Callable[[], None]:
    """Has `callback` called with kind and reason when a signal is about to end this process.

    It is called in a thread of its own, since the main thread may hold any lock. When all callbacks have
    returned, or after :data:`DEADLINE` seconds, the signal has its usual effect. SIGINT is left alone: it
    raises KeyboardInterrupt, of which :func:`tracker.run.reasons.reason_of` gives the reason. In forked
    children nothing is called.

    Returns:
        takes the callback back; may be called twice, and from any thread.
    """
    number = next(_numbers)
    _callbacks[number] = callback
    _install()

    def forget() -> None:
        _callbacks.pop(number, None)
        if not _callbacks:
            _uninstall()

    return forget


def last_signal() -> Ending | None:
    """What a signal said that somebody else's handler was left to deal with; ``None`` = there was none."""
    return _noted[-1] if _noted else None


def ending_by(number: int, environ: Mapping[str, str], now: float) -> Ending:
    """What a signal means here.

    Args:
        number: of the signal.
        environ: the environment: Slurm and Kubernetes tell there that they run the process.
        now: seconds since 1970-01-01 UTC.
    """
    name = signal.Signals(number).name
    job = environ.get("SLURM_JOB_ID")
    if name == "SIGXCPU":
        return Ending(EndKind.TERMINATED, "SIGXCPU: its limit of CPU time was reached")
    if name == "SIGHUP":
        return Ending(EndKind.TERMINATED, "SIGHUP: its terminal was closed")
    if name == "SIGUSR1" and job:
        return Ending(EndKind.PREEMPTED, f"SIGUSR1: Slurm is about to end job {job} (its option --signal)")
    if name == "SIGTERM" and job:
        if _is_over(environ.get("SLURM_JOB_END_TIME"), now):
            return Ending(EndKind.TERMINATED, f"SIGTERM: Slurm job {job} reached its time limit")
        return Ending(
            EndKind.PREEMPTED,
            f"SIGTERM: Slurm job {job} was preempted or cancelled (Slurm does not tell which)",
        )
    if name == "SIGTERM" and environ.get("KUBERNETES_SERVICE_HOST"):
        return Ending(
            EndKind.TERMINATED, "SIGTERM: Kubernetes stopped the pod (deleted, evicted or preempted)"
        )
    return Ending(EndKind.TERMINATED, f"{name}: somebody asked the process to end")


def _is_over(end: str | None, now: float) -> bool:
    try:
        return end is not None and now >= float(end) - _ENDS_SOON
    except ValueError:
        return False


def _install() -> None:
    global _forks_watched  # noqa: PLW0603 - there is one process
    if threading.current_thread() is not threading.main_thread():
        return  # Python sets handlers nowhere else
    if not _forks_watched:
        os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_leave_child_alone)
        _forks_watched = True
    names = (*_NAMES, *(_SLURM_NAMES if "SLURM_JOB_ID" in job_variables() else ()))
    for number in (int(getattr(signal, name)) for name in names if hasattr(signal, name)):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _handle)
            _set.add(number)


def _uninstall() -> None:
    if threading.current_thread() is not threading.main_thread():
        return  # without callbacks the handler does what the default does
    for number in list(_set):
        if signal.getsignal(number) is _handle:
            signal.signal(number, signal.SIG_DFL)
        _set.discard(number)


def _hold() -> None:
    """Python forgets what reaches a forked child before it is ready: such signals have to wait."""
    _held.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _set)


def _let_go() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _held.mask)


def _leave_child_alone() -> None:
    """A child that its parent ends is not the end of the parent's run."""
    _callbacks.clear()
    _noted.clear()
    _uninstall()
    _let_go()


def _handle(number: int, frame: FrameType | None) -> None:
    told = ending_by(number, job_variables(), time.time())
    if signal.getsignal(number) is not _handle:
        _noted.append(told)
        return
    signal.signal(number, signal.SIG_DFL)  # first: the same signal once more ends the process at once
    _call_all(told)
    os.kill(os.getpid(), number)


def _call_all(told: Ending) -> None:
    waiting = [
        threading.Thread(target=_call, args=(callback, told), name="tracker-signal", daemon=True)
        for callback in list(_callbacks.values())
    ]
    for thread in waiting:
        thread.start()
    deadline = time.monotonic() + DEADLINE
    for thread in waiting:
        thread.join(max(0.0, deadline - time.monotonic()))


def _call(callback: Callback, told: Ending) -> None:
    with suppress(Exception):  # the process is about to end, and nobody is left to tell
        callback(told.kind, told.reason)
