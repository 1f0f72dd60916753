"""What a run takes of its machine, as scalars from a thread of its own (extra ``system``)."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tracker.domain.errors import Invalid, Unavailable
from tracker.run.cgroups import Allowance
from tracker.run.gpus import Gpus

__all__ = ["MOST_PER_CENT", "SystemSampler", "interval_after"]

MOST_PER_CENT = 0.5
"""Of one processor, for sampling; what costs more is done more rarely."""

_SHORTEST, _LONGEST = 0.1, 3600.0
_CHILDREN_SECONDS = 60.0  # looking for them reads about every process of the machine


class SystemSampler:
    """Logs every few seconds what the machine and this process do, until it is stopped.

    ============================== ==========================================================
    ``system.cpu.percent``         of the processors that may be used (a container's limit, affinity)
    ``system.cpu.process``         of one processor, by this process and its children
    ``system.memory.percent``      of what may be used
    ``system.memory.used``         bytes, by all in the container or on the machine
    ``system.memory.process``      bytes, resident, of this process and its children
    ``system.disk.percent``        of the disk that holds `folder`
    ``system.disk.read``           bytes a second of the machine; ``.written`` likewise
    ``system.network.received``    bytes a second of the machine; ``.sent`` likewise
    ``system.gpu.0.percent``       of its time; ``.memory.percent``, ``.memory.used`` (bytes),
                                   ``.power`` (watts), ``.temperature`` (degrees Celsius)
    ``system.sampler.percent``     of one processor, by the sampling itself
    ============================== ==========================================================

    Args:
        log: takes values by name; what it raises is not passed on.
        every: seconds from one sample to the next; longer when sampling takes more than
            :data:`MOST_PER_CENT` of a processor.
        folder: on the disk that fills up.
        allowance: what a container limits.

    Raises:
        Unavailable: psutil is not installed.
        Invalid: `every` is not 0.1 to 3600 seconds.
    """

    def __init__(
        self,
        log: Callable[[Mapping[str, float]], object],
        every: float = 15.0,
        *,
        folder: Path = Path(),
        allowance: Allowance | None = None,
    ) -> None:
        try:
            import psutil  # noqa: PLC0415  (an extra)
        except ImportError as error:
            raise Unavailable(
                "system metrics need psutil; run: pip install 'tracker[system]'", 3600
            ) from error
        if not _SHORTEST <= every <= _LONGEST:
            raise Invalid.field("every", f"must be {_SHORTEST} to {_LONGEST:.0f} seconds, not {every}")
        self._log = log
        self._every = every
        self._readings = _Readings(psutil, folder, allowance or Allowance())
        self._cost = 0.0
        self._over = threading.Event()
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._work, name="tracker-system", daemon=True)

    @property
    def cost(self) -> float:
        """Processor seconds that sampling has taken."""
        return self._cost

    def start(self) -> None:
        """Begins; the first sample comes after one interval, since rates need two readings."""
        self._thread.start()

    def stop(self) -> None:
        """Ends, after a last sample of what came since; in a forked child and the second time nothing."""
        if self._pid == os.getpid() and not self._over.is_set():
            self._over.set()
            if self._thread.is_alive():
                self._thread.join(timeout=2.0)

    def _work(self) -> None:
        self._readings.sample()  # from which the first rates count
        interval = self._every
        is_over = False
        while not is_over:
            is_over = self._over.wait(interval)
            began = time.thread_time()
            values = self._readings.sample()
            taken = time.thread_time() - began
            self._cost += taken
            values["sampler.percent"] = 100.0 * taken / interval
            with suppress(Exception):  # nothing of it reaches the training
                self._log({f"system.{name}": value for name, value in values.items()})
            interval = interval_after(taken, self._every)
        self._readings.close()


def interval_after(taken: float, every: float) -> float:
    """Seconds to wait after a sample that took `taken` seconds of a processor."""
    return min(max(every, 100.0 * taken / MOST_PER_CENT), _LONGEST)


class _Readings:
    """Reads everything once, and the rates since the last time."""

    def __init__(self, psutil: Any, folder: Path, allowance: Allowance) -> None:
        self._psutil, self._folder, self._allowance = psutil, folder, allowance
        self._gpus: Gpus | None = None
        self._process = psutil.Process()
        self._children: list[Any] = []
        self._children_at = -_CHILDREN_SECONDS
        self._before: dict[str, tuple[float, float]] = {}

    def sample(self) -> dict[str, float]:
        """Values by name; what a machine does not tell is not there."""
        if self._gpus is None:  # here, since it may take a second, and this thread has it
            self._gpus = Gpus()
        found: dict[str, float] = {}
        for read in (self._processors, self._memory, self._family, self._disk, self._network):
            with suppress(Exception):  # a file of /proc that is not there, or not ours to read
                found.update(read())
        found.update(self._gpus.sample())
        return found

    def close(self) -> None:
        """Lets go of the driver of the GPUs."""
        if self._gpus is not None:
            self._gpus.close()

    def _processors(self) -> Iterator[tuple[str, float]]:
        seconds, limit = self._allowance.processor_seconds(), self._allowance.processors
        if seconds is not None and limit is not None:
            for rate in self._rate("quota", seconds):
                yield "cpu.percent", 100.0 * rate / limit
            return
        shares = self._psutil.cpu_percent(percpu=True)
        allowed = (
            self._process.cpu_affinity() if hasattr(self._process, "cpu_affinity") else range(len(shares))
        )
        mine = [shares[index] for index in allowed if index < len(shares)] or shares
        if self._is_later("cpu"):
            yield "cpu.percent", sum(mine) / len(mine)

    def _memory(self) -> Iterator[tuple[str, float]]:
        machine = self._psutil.virtual_memory()
        used, limit = self._allowance.memory() or (machine.total - machine.available, machine.total)
        limit = min(limit, machine.total)
        yield "memory.used", float(used)
        yield "memory.percent", 100.0 * used / limit

    def _family(self) -> Iterator[tuple[str, float]]:
        """This process and its children, of which workers that load data are many."""
        now = time.monotonic()
        if now - self._children_at >= _CHILDREN_SECONDS:
            self._children, self._children_at = self._process.children(recursive=True), now
        resident, seconds = 0, 0.0
        for process in (self._process, *self._children):
            with suppress(self._psutil.Error):
                with process.oneshot():
                    resident += process.memory_info().rss
                    times = process.cpu_times()
                seconds += times.user + times.system
        yield "memory.process", float(resident)
        for rate in self._rate("family", seconds):
            yield "cpu.process", 100.0 * rate

    def _disk(self) -> Iterator[tuple[str, float]]:
        yield "disk.percent", float(self._psutil.disk_usage(str(self._folder)).percent)
        moved = self._psutil.disk_io_counters()
        if moved is not None:
            for rate in self._rate("read", moved.read_bytes):
                yield "disk.read", rate
            for rate in self._rate("written", moved.write_bytes):
                yield "disk.written", rate

    def _network(self) -> Iterator[tuple[str, float]]:
        moved = self._psutil.net_io_counters()
        if moved is not None:
            for rate in self._rate("received", moved.bytes_recv):
                yield "network.received", rate
            for rate in self._rate("sent", moved.bytes_sent):
                yield "network.sent", rate

    def _rate(self, name: str, total: float) -> Iterator[float]:
        """By how much a counter grew a second since it was last read; nothing the first time.

        A counter that went back (a child ended, a device was taken away) grew by nothing.
        """
        now = time.monotonic()
        before = self._before.get(name)
        self._before[name] = now, total
        if before is not None and now > before[0]:
            yield max(0.0, total - before[1]) / (now - before[0])

    def _is_later(self, name: str) -> bool:
        """Whether this is not the first time."""
        is_later = name in self._before
        self._before[name] = 0.0, 0.0
        return is_later
