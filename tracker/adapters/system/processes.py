"""Who runs something, and what became of them: what the operating system tells about a process."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.adapters.system.kernel import kills_in, oom_counter, word_of_kernel
from tracker.domain.experiments.fate import Fate

__all__ = ["fate", "owner", "parent"]

_PROC = Path("/proc")
_INIT_NAMESPACE = 0xEFFFFFFC  # the inode of the first namespace of pids, include/linux/proc_ns.h


def owner() -> dict[str, Any]:
    """This process, so that another one can tell later whether it still lives.

    Returns:
        JSON values under ``host``, ``machine``, ``boot``, ``pid``, ``started``, ``namespace``,
        ``oom_file`` and ``oom_kills``; what this system does not tell is ``None``.
    """
    pid = os.getpid()
    counter = oom_counter()
    return {
        "host": socket.gethostname(),
        "machine": _text(Path("/etc/machine-id")),
        "boot": _text(_PROC / "sys/kernel/random/boot_id"),
        "pid": pid,
        "started": _started(pid),
        "namespace": _namespace(),
        "oom_file": None if counter is None else str(counter),
        "oom_kills": None if counter is None else kills_in(counter),
    }


def parent() -> str:
    """The process that started this one, in a text that no other process of any time has."""
    pid = os.getppid()
    boot = _text(_PROC / "sys/kernel/random/boot_id")
    return f"{socket.gethostname()}/{boot}/{pid}/{_started(pid)}"


def fate(owner: Mapping[str, Any]) -> Fate:
    """What became of a process that said who it is by :func:`owner`.

    Only what is certain is told: a process of another host or container may be alive for all that
    this one can see.
    """
    pid, host = owner.get("pid"), owner.get("host")
    if type(pid) is not int or pid < 1 or not isinstance(host, str) or os.name != "posix":
        return Fate.unknown("it is not known which process ran it")
    if host != socket.gethostname() or _differs(owner, "machine", _text(Path("/etc/machine-id"))):
        return Fate.unknown(f"it runs on {host}")
    if _differs(owner, "boot", _text(_PROC / "sys/kernel/random/boot_id")):
        return Fate.lost(f"lost: the machine {host} restarted while it ran")
    if _differs(owner, "namespace", _namespace()):
        return Fate.unknown(f"it runs in another container on {host}")
    started = _started(pid) if _exists(pid) else None
    if started is not None and (owner.get("started") is None or owner["started"] == started):
        return Fate.alive()
    return _why_gone(owner, pid, host)


def _why_gone(owner: Mapping[str, Any], pid: int, host: str) -> Fate:
    who = f"process {pid} on {host}"
    in_first_namespace = owner.get("namespace") == _INIT_NAMESPACE
    told = word_of_kernel(pid, _seconds(owner.get("started"))) if in_first_namespace else None
    if told is not None:
        return told.prefixed(f"{who} is gone")
    before, file = owner.get("oom_kills"), owner.get("oom_file")
    now = kills_in(Path(file)) if isinstance(file, str) else None
    if isinstance(before, int) and now is not None and now > before:
        return Fate.out_of_memory(
            f"{who} is gone, and the kernel killed {now - before} of its control group for lack of memory"
        )
    return Fate.killed(f"{who} is gone without a word: it was killed (SIGKILL) or crashed")


def _differs(owner: Mapping[str, Any], name: str, present: object) -> bool:
    return None not in (owner.get(name), present) and owner[name] != present


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip() or None
    except (OSError, ValueError):
        return None


def _namespace() -> int | None:
    try:
        return (_PROC / "self/ns/pid").stat().st_ino
    except OSError:
        return None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _started(pid: int) -> int | str | None:
    """When a process started, so that another one of the same number is told from it; ``None`` = it has
    ended, though its parent may not have noticed yet.

    On Linux clock ticks since boot (proc_pid_stat(5), field 22), elsewhere a text.
    """
    try:
        # The name of the program, in parentheses, may hold anything.
        fields = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
    except OSError:
        return None if (_PROC / "self").exists() else _started_elsewhere(pid)
    state, *rest = fields.split()
    return None if state in ("Z", "X") else int(rest[18])


def _started_elsewhere(pid: int) -> str | None:
    command = ["ps", "-o", "state=", "-o", "lstart=", "-p", str(pid)]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    state, _, started = told.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


def _seconds(started: object) -> float:
    """Since boot."""
    return started / os.sysconf("SC_CLK_TCK") if isinstance(started, int) else 0.0
