"""Temporary files in memory, where there is room."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

__all__ = ["use_memory"]

_MEMORY = Path("/dev/shm")
_ROOM = 4 * 2**30


def use_memory() -> None:
    """Has this process and those that it starts make temporary files in memory, unless TMPDIR is set.

    Tests commit thousands of times, each of which waits for a disk, and a database of PostgreSQL is a
    thousand files.
    """
    if "TMPDIR" not in os.environ and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)
