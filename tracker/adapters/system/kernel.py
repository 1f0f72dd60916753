"""What the Linux kernel says of processes that it ended: counters of control groups, and its log."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tracker.domain.experiments.fate import Fate

__all__ = ["kills_in", "oom_counter", "word_of_kernel"]

_GROUPS = Path("/sys/fs/cgroup")
_LOG = Path("/dev/kmsg")
_COUNTER = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)
_RECORD = 8192  # bytes; the kernel hands out one record a read, and none is longer
_MOST_RECORDS = 100_000


def oom_counter(listing: Path = Path("/proc/self/cgroup"), mounted: Path = _GROUPS) -> Path | None:
    """The file in which this process's control group counts what was killed for lack of memory.

    ``memory.events`` of version 2, ``memory.oom_control`` of version 1; ``None`` where there is none.
    In a container the listed path may be that of the host; then the root of the mount is ours.
    """
    try:
        lines = listing.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return None
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if "memory" in controllers.split(","):
            roots, name = [mounted / "memory", *mounted.glob("*,memory*")], "memory.oom_control"
        elif number == "0" and not controllers:
            roots, name = [mounted, mounted / "unified"], "memory.events"
        else:
            continue
        for root in roots:
            for place in (root / path.lstrip("/"), root):
                if kills_in(place / name) is not None:
                    return place / name
    return None


def kills_in(counter: Path) -> int | None:
    """What a counter says; ``None`` when it says nothing any more."""
    try:
        found = _COUNTER.search(counter.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if found is None else int(found[1])


def word_of_kernel(pid: int, since: float, log: Path = _LOG) -> Fate | None:
    """What the kernel's log says of the end of a process, if this user may read it.

    Args:
        pid: the process, as the first namespace numbers it.
        since: seconds since boot; what is older is about another process of this number.
        log: ``/dev/kmsg``, see Documentation/ABI/testing/dev-kmsg of the kernel.
    """
    killed = re.compile(rf"[Kk]ill(?:ed)? process {pid} \(")
    crashed = re.compile(rf"\S\[{pid}\]: segfault at|traps: \S+\[{pid}\] ")
    told: Fate | None = None
    for moment, text in _records(log):
        if moment < since:
            continue
        if killed.search(text):
            told = Fate.out_of_memory(f"the kernel killed it for lack of memory ({text})")
        elif crashed.search(text):
            told = Fate.other(f"it crashed ({text})")
    return told


def _records(log: Path) -> Iterator[tuple[float, str]]:
    """Seconds since boot and text of each record."""
    try:
        source = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return
    try:
        for _ in range(_MOST_RECORDS):
            try:
                raw = os.read(source, _RECORD)
            except BrokenPipeError:  # what was to come next has been overwritten; reading goes on behind it
                continue
            if not raw:
                return
            for line in raw.decode("utf-8", "replace").splitlines():
                head, _, text = line.partition(";")
                fields = head.split(",")
                if len(fields) > 2 and fields[2].isdigit():
                    yield int(fields[2]) / 1e6, text
    except OSError:  # BlockingIOError: that was all
        return
    finally:
        os.close(source)
