"""Processes of this machine, by what ``/proc`` tells of them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Process", "descendants", "end_all", "holders", "is_still", "listed", "memory_of", "session_of"]

_PROC = Path("/proc")
_DEAD = ("Z", "X")
_ROUNDS, _ROUND_SECONDS = 100, 0.02


class Process(NamedTuple):
    """One process; see proc_pid_stat(5).

    Attributes:
        pid, parent, session: numbers.
        state: ``Z`` of one that has ended, which its parent has not noticed.
        started: clock ticks since boot.
    """

    pid: int
    parent: int
    session: int
    state: str
    started: int


def listed() -> dict[int, Process]:
    """All processes, by number; none where there is no ``/proc``."""
    found: dict[int, Process] = {}
    with contextlib.suppress(OSError), os.scandir(_PROC) as entries:
        for entry in entries:
            if entry.name.isdigit() and (process := _read(int(entry.name))) is not None:
                found[process.pid] = process
    return found


def is_still(who: Mapping[str, Any], all_now: Mapping[int, Process]) -> bool:
    """Whether the process that said who it is, by ``pid``, ``started`` and ``boot``, is alive."""
    found = all_now.get(who.get("pid", 0))
    if found is None or found.state in _DEAD:
        return False
    return who.get("started") == found.started and _is_of_here(who)


def descendants(of: int, all_now: Mapping[int, Process]) -> set[int]:
    """Those below a process that live."""
    children: dict[int, list[int]] = {}
    for process in all_now.values():
        children.setdefault(process.parent, []).append(process.pid)
    found: set[int] = set()
    wanted = list(children.get(of, ()))
    while wanted:
        pid = wanted.pop()
        if pid not in found:
            found.add(pid)
            wanted += children.get(pid, ())
    return {pid for pid in found if all_now[pid].state not in _DEAD}


def session_of(who: Mapping[str, Any], all_now: Mapping[int, Process]) -> set[int]:
    """Those of the session that a process led, which lives or not.

    Its number is not given to another process while one of the session is left, so that a stranger of that
    number means that none is left.
    """
    leader = who.get("pid")
    # In a container, 0 is the session of all that came from outside of it.
    if not isinstance(leader, int) or leader < 1 or not _is_of_here(who):
        return set()
    present = all_now.get(leader)
    if present is not None and present.started != who.get("started"):
        return set()
    return {
        process.pid
        for process in all_now.values()
        if process.session == leader and process.state not in _DEAD
    }


def holders(file: Path) -> set[int]:
    """Those that have a file open, as far as this user may see."""
    try:
        wanted = file.stat()
    except OSError:
        return set()
    me = os.getpid()
    return {pid for pid in listed() if pid != me and (wanted.st_dev, wanted.st_ino) in _opened(pid)}


def _opened(pid: int) -> Iterator[tuple[int, int]]:
    """Device and inode of what a process has open."""
    with contextlib.suppress(OSError), os.scandir(_PROC / str(pid) / "fd") as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                found = entry.stat()
                yield found.st_dev, found.st_ino


def end_all(which: Callable[[], Collection[int]]) -> bool:
    """Kills processes until there are none; whether there are none.

    Args:
        which: finds them anew each time, since they may start others meanwhile.
    """
    for _ in range(_ROUNDS):
        found = which()
        if not found:
            return True
        send(found, signal.SIGSTOP)  # so that none starts another while its number is looked up
        send(found, signal.SIGKILL)
        time.sleep(_ROUND_SECONDS)
    return not which()


def send(pids: Iterable[int], what: signal.Signals) -> None:
    """Sends a signal to each that is there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, what)


def memory_of(pids: Iterable[int]) -> int:
    """Bytes of memory that these processes have to themselves; what a fork shares counts twice."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in (
                (_PROC / str(pid) / "status").read_text(encoding="ascii", errors="replace").splitlines()
            ):
                if line.startswith(("RssAnon:", "RssShmem:")):
                    total += 1024 * int(line.split()[1])
    return total


def _read(pid: int) -> Process | None:
    try:
        # The name of the program, in parentheses, may hold anything.
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return Process(pid, int(fields[1]), int(fields[3]), fields[0], int(fields[19]))


def _is_of_here(who: Mapping[str, Any]) -> bool:
    """Whether numbers of processes mean the same to it: same machine, since the same boot, same container."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = (_PROC / "self/ns/pid").stat().st_ino
    except OSError:
        return False
    return who.get("boot") in (None, boot) and who.get("namespace") in (None, namespace)
