"""Which process writes a run, and whether it is still there."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["is_gone", "owner"]


def owner() -> dict[str, Any]:
    """This process, so that a later one on the same machine can tell whether it still runs."""
    pid = os.getpid()
    return {"host": socket.gethostname(), "boot": _boot(), "pid": pid, "started": _stat(pid)[1]}


def is_gone(owner: Mapping[str, Any]) -> bool:
    """Whether that process certainly runs no more; of another machine's nobody here can know."""
    if owner.get("host") != socket.gethostname():
        return False
    if owner.get("boot") != _boot():
        return True
    state, started = _stat(int(owner.get("pid", 0)))
    return state in ("", "Z", "X") or started != owner.get("started")


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _stat(pid: int) -> tuple[str, int]:
    """State letter and start time in ticks since boot, after the name, which may hold anything."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return "", 0
    return fields[0], int(fields[19])
