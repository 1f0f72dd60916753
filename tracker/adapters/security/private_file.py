"""Small files that only their owner may read, and that several processes change."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker.domain.errors import Unavailable

__all__ = ["changing", "replace"]


def replace(path: Path, text: str) -> None:
    """Puts a whole new file, with mode 600, in the place of the old one; durable, its name as well.

    To be called within :func:`changing`: what a killed process left beside it is removed, since it may hold
    keys.

    Raises:
        OSError: the disk refuses it; the old one stays.
    """
    stray = f".{path.stem}-"
    for each in path.parent.glob(f"{stray}*"):
        each.unlink(missing_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=stray)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def changing(path: Path, what: str) -> Iterator[None]:
    """Only one process changes the file at a time; its folder is made.

    Raises:
        Unavailable: `what` cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(path.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise Unavailable(f"cannot write {what} to {path}: {error.strerror}") from error
