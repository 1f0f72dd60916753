"""The folder of one run's journal, and those of all runs in a data folder."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
import time
import weakref
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from tracker.adapters.system.processes import fate
from tracker.domain.experiments.fate import Life
from tracker.journal import frames
from tracker.journal.segment import CLOSED, OPEN

__all__ = ["DAMAGED", "JournalFolder", "journals"]

DAMAGED = ".damaged"
LONGEST_HEADER = 8192
SECONDS_FOR_A_HEADER = 10
SECONDS_FOR_A_CAPTURE = 90
_held: weakref.WeakSet[_Held] = weakref.WeakSet()


class JournalFolder:
    """The files of one run that are on their way to the store.

    Args:
        data: the data folder.
        key: the run's.
    """

    def __init__(self, data: Path, key: UUID) -> None:
        self.data = data
        self.key = key
        self.path = data / "journal" / key.hex
        self.staged = self.path / "staged"
        self.console = self.path / "console"
        self.capture = self.path / "capture"
        self.is_given_up = False
        """Whether somebody says that the run is over, though its process cannot be seen from here."""

    def about(self) -> dict[str, Any]:
        """What ``run.json`` says of the run; when it is not whole or gone, what heads its segments."""
        with suppress(OSError, ValueError):
            told = json.loads((self.path / "run.json").read_bytes())
            if isinstance(told, dict):
                return told
        for each in self._segments():  # of a child that outlived the run
            plan = _header(each).get("plan")
            if isinstance(plan, dict):
                return plan
        return {}

    @property
    def is_private(self) -> bool:
        """Whether nobody but this user can have written what is in it."""
        try:
            found = self.path.stat()
        except OSError:
            return False
        return found.st_uid == os.geteuid() and not found.st_mode & 0o022

    def tell(self, about: Mapping[str, Any]) -> None:
        """Replaces ``run.json``, whole or not at all.

        Raises:
            OSError: the disk does not take it.
        """
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.path / f"run.{os.getpid()}.{os.urandom(4).hex()}.draft"
        try:
            draft.write_text(json.dumps(about, indent=1, allow_nan=False), encoding="utf-8")
            draft.replace(self.path / "run.json")
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def stage(self, source: bytes | Path) -> tuple[str, int]:
        """Copies content into the folder, to be sent later: its SHA-256 in hex, and its size in bytes.

        Raises:
            OSError: the disk does not take it, or `source` cannot be read.
        """
        self.staged.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.staged / f"{os.getpid()}.{os.urandom(8).hex()}.draft"
        digest, size = hashlib.sha256(), 0
        try:
            with draft.open("xb") as kept, _opened(source) as file:
                while piece := file.read(2**20):
                    digest.update(piece)
                    kept.write(piece)
                    size += len(piece)
            draft.replace(self.staged / digest.hexdigest())
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        return digest.hexdigest(), size

    def segments(self) -> list[Path]:
        """What can be carried now, as it was written: closed segments, and those whose writer is gone."""
        lives = (Life.ALIVE,) if self.is_given_up else (Life.ALIVE, Life.UNKNOWN)
        return [each for each in self._segments() if each.suffix == CLOSED or _is_left_behind(each, lives)]

    def waiting(self) -> int:
        """How many bytes of segments are there, whoever writes them."""
        total = 0
        with suppress(FileNotFoundError):
            for each in self.path.iterdir():
                if each.suffix in (OPEN, CLOSED):
                    with suppress(FileNotFoundError):
                        total += each.stat().st_size
        return total

    def last_written(self) -> float:
        """When the run last wrote here, in seconds since 1970-01-01 UTC; 0 when nobody knows."""
        times = [0.0]
        for each in (self.path / "run.json", *self._segments()):
            with suppress(OSError):
                times.append(each.stat().st_mtime)
        return max(times)

    def put_aside(self, segment: Path) -> Path:
        """Keeps a segment that the store refuses for good, or that is damaged, where nobody carries it."""
        aside = segment.with_suffix(DAMAGED)
        return segment.replace(aside)

    def remove(self) -> bool:
        """Removes the folder once nothing in it waits to be carried; whether it is gone."""
        if self.waiting() or any(self.path.glob(f"*{DAMAGED}")) or self._is_being_captured():
            return False
        with suppress(OSError):
            for each in self.path.iterdir():
                if each.is_dir():
                    shutil.rmtree(each, ignore_errors=True)
                elif each.suffix not in (OPEN, CLOSED) or _is_void(each):
                    each.unlink(missing_ok=True)
            self.path.rmdir()  # not if a child has just begun another segment
        self._leave()
        return not self.path.exists()

    def discard(self) -> None:
        """Removes the folder with whatever is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._leave()

    def _is_being_captured(self) -> bool:
        """Whether a process that outlives the run may still be writing down what ran."""
        try:
            return abs(time.time_ns() / 1e9 - self.capture.stat().st_mtime) < SECONDS_FOR_A_CAPTURE
        except OSError:
            return False

    def _leave(self) -> None:
        with suppress(OSError):  # others are still there
            self.path.parent.rmdir()

    def _segments(self) -> list[Path]:
        """All segments, open ones too, in the order of writing."""
        try:
            return sorted(each for each in self.path.iterdir() if each.suffix in (OPEN, CLOSED))
        except OSError:
            return []

    @contextmanager
    def carrying(self) -> Iterator[bool]:
        """Whether this process may carry for the length of the block; one does at a time.

        The system lets go of the lock when the process dies. On a file system without such locks (Lustre
        may have none) everybody may carry: what two carry is the same batch twice, which the store keeps
        once, so that the lock does no more than save work.
        """
        try:
            descriptor = os.open(self.path / "carrier.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            yield False
            return
        held = _Held(descriptor)
        _held.add(held)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.close()
            yield False
            return
        except OSError:
            pass
        try:
            yield True
        finally:
            held.close()


class _Held:
    """A lock's descriptor, of which a forked child closes its copy, as that would keep the lock."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


def journals(data: Path) -> list[JournalFolder]:
    """The journals in a data folder, oldest first."""
    try:
        names = sorted(each.name for each in (data / "journal").iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = []
    for name in names:
        with suppress(ValueError):
            found.append(JournalFolder(data, UUID(hex=name)))
    return found


def _opened(source: bytes | Path) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _header(segment: Path) -> Mapping[str, Any]:
    """What heads a segment; nothing if that is not whole."""
    try:
        with segment.open("rb") as file:
            return frames.read(file.read(LONGEST_HEADER)).header
    except OSError:
        return {}


def _is_left_behind(segment: Path, lives: Collection[Life]) -> bool:
    """Whether the process that writes an open segment is gone; who it is stands in its header."""
    owner = _header(segment).get("owner")
    return fate(owner).life not in lives if isinstance(owner, dict) else _is_void(segment)


def _is_void(segment: Path) -> bool:
    """Whether its writer did not get to write as much as a header; it needs microseconds for that."""
    try:
        age = abs(time.time_ns() / 1e9 - segment.stat().st_mtime)  # of a clock that may have been set
    except OSError:
        return False
    return age > SECONDS_FOR_A_HEADER and not _header(segment)


def _let_go() -> None:
    for held in list(_held):
        held.close()


os.register_at_fork(after_in_child=_let_go)
