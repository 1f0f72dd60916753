"""What happens to runs that are still open when the interpreter is left."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from tracker.run.exits import last_exit, put_back_exit, watch_exit

if TYPE_CHECKING:
    from tracker.run.run import Run

__all__ = ["finish_at_exit", "forget"]

_open: dict[int, Run] = {}
_is_registered = False


def finish_at_exit(run: Run) -> None:
    """Has `run` finished when the interpreter is left, unless it is forgotten before."""
    global _is_registered  # noqa: PLW0603 - there is one interpreter to leave
    _open[id(run)] = run
    watch_exit()
    if not _is_registered:
        # Thread pools take no more work by the time atexit runs, and the store needs them. This hook
        # runs before theirs, since they were imported first; it has no public name.
        register = getattr(threading, "_register_atexit", atexit.register)
        register(_finish_all)
        _is_registered = True


def forget(run: Run) -> None:
    """Lets go of a run that is finished."""
    _open.pop(id(run), None)
    if not _open:
        put_back_exit()


def _finish_all() -> None:
    # The interpreter keeps the exception that ended the script here; at a prompt (ps1) it is but the
    # last one that somebody saw.
    error = None if hasattr(sys, "ps1") else getattr(sys, "last_value", None) or last_exit()
    began = time.monotonic()
    for run in list(_open.values()):
        left = max(0.5, run.exit_seconds - (time.monotonic() - began))  # for all of them together
        run.finish_by(error, timeout=left)
    if isinstance(error, KeyboardInterrupt) and os.name == "posix":
        atexit.register(_be_interrupted)


def _be_interrupted() -> None:
    """Has the process killed by SIGINT, as a shell's loop needs that is to end with it. Python does so at its
    own end unless it has run a text since, which the store does to make classes."""
    atexit.unregister(_be_interrupted)
    atexit._run_exitfuncs()  # of everybody else
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or there is none
            stream.flush()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)


os.register_at_fork(after_in_child=_open.clear)  # they are finished by the process that started them
