"""What a run ran on."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["hardware", "system"]

_SECONDS_FOR_GPUS = 5.0
_GPU_FIELDS = ("name", "uuid", "memory.total", "driver_version")


def system() -> dict[str, str]:
    """Operating system, processor kind and C library."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()).strip(),
    }


def hardware(environ: Mapping[str, str]) -> dict[str, Any]:
    """Processor, memory in bytes, and graphics processors.

    Args:
        environ: the process's environment, for the program that knows of the latter.
    """
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 0,
        "usable_cores": _usable_cores(),
        "memory": _memory(),
        "gpus": _gpus(environ),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor()


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 0


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return 0


def _gpus(environ: Mapping[str, str]) -> list[dict[str, str]]:
    """Of NVIDIA's, what ``nvidia-smi`` tells; nothing where there is none or it hangs, as it may."""
    program = shutil.which("nvidia-smi", path=environ.get("PATH"))
    if program is None:
        return []
    try:
        done = subprocess.run(  # noqa: S603  (a list, and no shell)
            [program, f"--query-gpu={','.join(_GPU_FIELDS)}", "--format=csv,noheader"],
            capture_output=True, text=True, errors="replace", timeout=_SECONDS_FOR_GPUS, check=True,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return []
    rows = (line.split(", ") for line in done.stdout.splitlines() if line.strip())
    return [
        dict(zip(("name", "uuid", "memory", "driver"), map(str.strip, row), strict=False)) for row in rows
    ]
