"""The folder of one run's journal, and those of all runs in a data folder."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from tracker.adapters.system.processes import fate
from tracker.domain.experiments.fate import Life
from tracker.journal import frames
from tracker.journal.segment import CLOSED, OPEN

__all__ = ["JournalFolder", "journals"]

DAMAGED = ".damaged"
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

    def about(self) -> dict[str, Any]:
        """What ``run.json`` says of the run; nothing when it is not there or not whole."""
        try:
            told = json.loads((self.path / "run.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

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
        try:
            found = sorted(self.path.iterdir())
        except FileNotFoundError:
            return []
        return [
            each for each in found if each.suffix == CLOSED or (each.suffix == OPEN and _is_left_behind(each))
        ]

    def waiting(self) -> int:
        """How many bytes of segments are there, whoever writes them."""
        total = 0
        with suppress(FileNotFoundError):
            for each in self.path.iterdir():
                if each.suffix in (OPEN, CLOSED):
                    with suppress(FileNotFoundError):
                        total += each.stat().st_size
        return total

    def put_aside(self, segment: Path) -> Path:
        """Keeps a segment that the store refuses for good, or that is damaged, where nobody carries it."""
        aside = segment.with_suffix(DAMAGED)
        return segment.replace(aside)

    def remove(self) -> bool:
        """Removes the folder once nothing in it waits to be carried; whether it is gone."""
        if self.waiting() or any(self.path.glob(f"*{DAMAGED}")):
            return False
        self.discard()
        return True

    def discard(self) -> None:
        """Removes the folder with whatever is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):  # others are still there
            self.path.parent.rmdir()

    @contextmanager
    def carrying(self) -> Iterator[bool]:
        """Whether this process may carry for the length of the block; one does at a time.

        The system lets go of the lock when the process dies. A file system without such locks lets
        nobody carry; what waits there can be moved to one that has them and carried by ``tracker sync``.
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
        except OSError:
            held.close()
            yield False
            return
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


def _is_left_behind(segment: Path) -> bool:
    """Whether the process that writes an open segment is gone; who it is stands in its header."""
    try:
        with segment.open("rb") as file:
            owner = frames.read(file.read(4096)).header.get("owner")
    except OSError:
        return False
    return isinstance(owner, dict) and fate(owner).life is Life.GONE


def _let_go() -> None:
    for held in list(_held):
        held.close()


os.register_at_fork(after_in_child=_let_go)
