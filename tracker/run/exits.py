"""Notes the status with which a script leaves by ``sys.exit``, since Python tells it nobody at the end.

An uncaught exception stays in ``sys.last_value``; SystemExit does not. So ``sys.exit`` raises one that notes
its own end: where no frame is left when it goes, nobody has caught it, and it was what ended the script.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import NoReturn

__all__ = ["last_exit", "put_back_exit", "watch_exit"]

_noted: list[SystemExit] = []
_before: list[Callable[..., NoReturn]] = []


class _Leaving(SystemExit):
    """A SystemExit that tells when it has ended the script."""

    def __del__(self) -> None:
        if sys._getframe().f_back is None and threading.current_thread() is threading.main_thread():
            _noted.append(SystemExit(self.code))


_Leaving.__name__ = _Leaving.__qualname__ = "SystemExit"  # as whatever shows it calls it
_Leaving.__module__ = "builtins"


def watch_exit() -> None:
    """Has ``sys.exit`` noted from now on; once is enough."""
    if not _before:
        _before.append(sys.exit)
        sys.exit = _exit


def put_back_exit() -> None:
    """Puts ``sys.exit`` back, unless somebody else has replaced it meanwhile."""
    if _before and sys.exit is _exit:
        sys.exit = _before.pop()


def last_exit() -> SystemExit | None:
    """What ended the script; ``None`` where it was not ``sys.exit``."""
    return _noted[-1] if _noted else None


def _exit(status: object = None, /) -> NoReturn:
    """Leaves Python by raising SystemExit, as ``sys.exit`` does."""
    if _before and _before[0] is not _PYTHONS:  # somebody's who was there first
        _before[0](status)
    raise _Leaving(status)  # of which no frame keeps a name: it must go when it is done with


_PYTHONS = sys.exit
