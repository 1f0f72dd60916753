"""What a container or a batch system lets this process have of the machine, as Linux tells it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Allowance"]

_UNLIMITED = 2**60  # version 1 writes "no limit" as a huge number


class Allowance:
    """The tightest limits of processor and memory above this process, and what is used of them.

    Control groups of both versions are read, from the process's own up to the root. Where there are
    none, nothing is limited.

    Args:
        root: where control groups are mounted.
        own: the file that names those of this process.
    """

    def __init__(self, root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> None:
        found = list(_folders(root, own))
        memory = [(limit, folder) for folder in found if (limit := _memory_limit(folder)) is not None]
        quotas = [(share, folder) for folder in found if (share := _processors(folder)) is not None]
        self._memory = min(memory, default=None)
        self._quota = min(quotas, default=None)

    @property
    def processors(self) -> float | None:
        """How many processors may be used at a time, such as 1.5; ``None`` = all."""
        return None if self._quota is None else self._quota[0]

    def processor_seconds(self) -> float | None:
        """Processor seconds that were used by all under that limit."""
        if self._quota is None:
            return None
        folder = self._quota[1]
        micros = _table(folder / "cpu.stat").get("usage_usec")
        if micros is not None:
            return micros / 1e6
        for place in (folder, folder.parent / "cpuacct", *_siblings(folder, "cpuacct")):
            nanos = _number(place / "cpuacct.usage")
            if nanos is not None:
                return nanos / 1e9
        return None

    def memory(self) -> tuple[int, int] | None:
        """Bytes that are used and bytes that may be; ``None`` = all of the machine's.

        Files that the kernel keeps in memory and may drop at any time are not counted, as ``docker stats``
        does not.
        """
        if self._memory is None:
            return None
        limit, folder = self._memory
        used = _number(folder / "memory.current")
        if used is None:
            used = _number(folder / "memory.usage_in_bytes")
        if used is None:
            return None
        about = _table(folder / "memory.stat")
        droppable = about.get("total_inactive_file", about.get("inactive_file", 0))
        return max(0, used - droppable), limit


def _folders(root: Path, own: Path) -> Iterator[Path]:
    """The groups of this process and all above them."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        mounts = [root / part for part in (controllers, *controllers.split(",")) if part] or [
            root, root / "unified",
        ]  # fmt: skip
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for mount in dict.fromkeys(mounts):
            for length in range(len(parts), -1, -1):
                folder = mount.joinpath(*parts[:length])
                if folder.is_dir():
                    yield folder


def _siblings(folder: Path, controller: str) -> Iterator[Path]:
    """The same group of another controller of version 1, as in ``cpu/a/b`` and ``cpuacct/a/b``."""
    for above in folder.parents:
        if (above / controller).is_dir():
            inside = folder.relative_to(above).parts[1:]
            yield above.joinpath(controller, *inside)


def _memory_limit(folder: Path) -> int | None:
    for name in ("memory.max", "memory.limit_in_bytes"):
        limit = _number(folder / name)
        if limit is not None and 0 < limit < _UNLIMITED:
            return limit
    return None


def _processors(folder: Path) -> float | None:
    quota, _, period = _text(folder / "cpu.max").partition(" ")
    if not period:
        quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
    if not (quota.isdigit() and period.isdigit() and int(period)):
        return None  # "max", or -1
    share = int(quota) / int(period)
    return share if share > 0 and math.isfinite(share) else None


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isascii() and text.isdigit() else None


def _table(path: Path) -> dict[str, int]:
    """Lines of a name and a number."""
    pairs = (line.split() for line in _text(path).splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}
