"""The folder of one attempt: ``<data>/jobs/<job>/<attempt>/``.

| file | written by | means |
|---|---|---|
| ``config.json`` | the runner | the errand |
| ``ticket`` | the runner | its place in the queue |
| ``begun`` | the runner | a process was started, or was about to be |
| ``killed`` | the runner | it must not begin any more |
| ``process.json`` | the watcher | who it is |
| ``alive.lock`` | both | locked (flock) as long as any process of the attempt lives |
| ``family`` | the watcher | kept open by it and what it forks, and by nobody else |
| ``scratch.json`` | the watcher | where its processes keep temporary files |
| ``ended.json`` | the watcher | how it ended, and why |
| ``worker.log``, ``worker.log.1`` | the watcher | what was printed last |

The folder appears in one piece, by a rename, so that of two who start an attempt, or of one who starts and
one who kills it, one is first.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["AttemptFolder"]

_SCRATCH = "tracker-attempt-"


class AttemptFolder:
    """One attempt's files.

    Args:
        path: where; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.json"
        self.lock = path / "alive.lock"
        self.log = path / "worker.log"

    @property
    def exists(self) -> bool:
        """Whether anybody has made it."""
        return self.path.is_dir()

    def make(self, files: Mapping[str, bytes]) -> bool:
        """Makes it with these files, for its owner alone; ``False`` when it was there."""
        for folder in (self.path.parent.parent, self.path.parent):  # `parents` would not heed the mode
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{self.path.name}.", dir=self.path.parent))
        try:
            for name, content in {**files, self.lock.name: b""}.items():
                _write(draft / name, content)
            draft.rename(self.path)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            if self.exists:
                return False
            raise
        return True

    def has(self, mark: str) -> bool:
        """Whether a file is there."""
        return (self.path / mark).exists()

    def mark(self, name: str) -> None:
        """Leaves an empty file."""
        _write(self.path / name, b"", os.O_CREAT)

    def put(self, name: str, value: Mapping[str, Any]) -> None:
        """Writes a JSON file in one piece; another of the name is replaced."""
        draft = self.path / f".{name}.{os.getpid()}"
        _write(draft, json.dumps(value).encode(), os.O_CREAT | os.O_TRUNC)
        draft.replace(self.path / name)

    def read(self, name: str) -> dict[str, Any] | None:
        """A JSON file; ``None`` when there is none that can be read."""
        try:
            found = json.loads((self.path / name).read_bytes())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def text(self, name: str) -> str:
        """A file's text; empty when there is none."""
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return ""

    def make_scratch(self) -> str:
        """A new folder for temporary files of its processes, where the machine has such."""
        made = tempfile.mkdtemp(prefix=_SCRATCH)
        self.put("scratch.json", {"path": made})
        return made

    def clear_scratch(self) -> None:
        """Removes what its processes left there; nothing of a process that is killed removes it itself."""
        path = Path(str((self.read("scratch.json") or {}).get("path", "")))
        if path.name.startswith(_SCRATCH):
            shutil.rmtree(path, ignore_errors=True)

    def is_alive(self) -> bool:
        """Whether any process of it lives, or is about to."""
        with self.at_rest() as rests:
            return not rests

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[bool]:
        """Whether no process of it lives; then none begins during the block."""
        descriptor = self.take(fcntl.LOCK_SH)
        try:
            yield descriptor is not None
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def take(self, how: int = fcntl.LOCK_EX) -> int | None:
        """Locks it; whoever inherits the descriptor holds the lock too. ``None`` when others have it."""
        descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                return None
            raise
        return descriptor

    def tail(self, most: int) -> str:
        """The end of what was printed, at most so many characters."""
        if most <= 0:
            return ""
        pieces: list[bytes] = []
        wanted = 4 * most  # bytes: a character has at most four
        for path in (self.log, self.log.with_name(f"{self.log.name}.1")):
            with contextlib.suppress(OSError), path.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - wanted))
                pieces.append(file.read(wanted))
                wanted -= len(pieces[-1])
        return b"".join(reversed(pieces)).decode("utf-8", "replace")[-most:]


def _write(path: Path, content: bytes, flags: int = os.O_CREAT | os.O_EXCL) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | flags, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
