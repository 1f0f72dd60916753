"""What NVIDIA's GPUs do, by their own library where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Gpus"]


class Gpus:
    """The GPUs of this machine; none where there is no driver or no ``nvidia-ml-py``."""

    def __init__(self) -> None:
        self._library: Any = None
        self._handles: list[Any] = []
        try:
            import pynvml  # noqa: PLC0415  (an extra)

            pynvml.nvmlInit()
            self._library = pynvml
            self._handles = [
                pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())
            ]
        except Exception:  # no package, no driver, no permission: then there is nothing to tell
            self._handles = []

    def __len__(self) -> int:
        return len(self._handles)

    def sample(self) -> Iterator[tuple[str, float]]:
        """Name and value of everything that each GPU tells: per cent, bytes, watts and degrees Celsius."""
        for index, handle in enumerate(self._handles):
            for name, read in _READINGS:
                try:
                    value = read(self._library, handle)
                except Exception:  # noqa: S112  (a GPU that has no such sensor, or fell off the bus)
                    continue
                yield f"gpu.{index}.{name}", value

    def close(self) -> None:
        """Lets go of the driver."""
        if self._library is not None:
            try:
                self._library.nvmlShutdown()
            except Exception:  # it is gone already
                self._handles = []
        self._library, self._handles = None, []


def _used(library: Any, handle: Any) -> float:
    return float(library.nvmlDeviceGetMemoryInfo(handle).used)


def _share(library: Any, handle: Any) -> float:
    memory = library.nvmlDeviceGetMemoryInfo(handle)
    return 100.0 * float(memory.used) / float(memory.total)


_READINGS: tuple[tuple[str, Callable[[Any, Any], float]], ...] = (
    ("percent", lambda library, handle: float(library.nvmlDeviceGetUtilizationRates(handle).gpu)),
    ("memory.used", _used),
    ("memory.percent", _share),
    ("power", lambda library, handle: library.nvmlDeviceGetPowerUsage(handle) / 1000.0),
    ("temperature", lambda library, handle: float(library.nvmlDeviceGetTemperature(handle, 0))),
)
