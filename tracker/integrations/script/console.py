"""What a child process prints: shown as it comes, and kept in a file."""

from __future__ import annotations

import os
import re
import threading
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["Console"]

LARGEST = 64 * 2**20
_ERROR = re.compile(rb"[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Warning)\b(?:: .*)?")
_TAIL = 16 * 2**10


class Console:
    """Reads a child's output and error from pipes, or from terminals where this process has one.

    A child that prints to a terminal keeps its progress bars and colours.

    Args:
        path: the file to keep both in, as they come; at most 64 MiB.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._room = LARGEST
        self._lock = threading.Lock()
        self._tail = b""
        self._pairs = [_pair(1), _pair(2)]
        self._threads: list[threading.Thread] = []

    def ends(self) -> tuple[int, int]:
        """What the child writes to, as its standard output and error."""
        return self._pairs[0][1], self._pairs[1][1]

    def read(self) -> None:
        """Begins to read, once the child has been started."""
        for target, (source, end) in enumerate(self._pairs, 1):
            os.close(end)
            thread = threading.Thread(target=self._pass, args=(source, target), daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self, seconds: float) -> None:
        """Ends, once everything is read. What the child started may hold its output open: it is waited
        for `seconds` at most."""
        if not self._threads:
            for pair in self._pairs:
                for descriptor in pair:
                    os.close(descriptor)
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            self._file.close()

    @property
    def error(self) -> str | None:
        """The last line on standard error, if it reads like that of an exception."""
        lines = [line.strip() for line in self._tail.replace(b"\r", b"\n").split(b"\n")]
        last = next((line for line in reversed(lines) if line), b"")
        return last.decode("utf-8", "replace")[:500] if _ERROR.match(last) else None

    def _pass(self, source: int, target: int) -> None:
        is_shown = True
        line = b""  # that has not ended, so that lines of output and error are not mixed
        while chunk := _read(source):
            if is_shown:
                is_shown = _write(target, chunk)
            if target == 2:
                self._tail = (self._tail + chunk)[-_TAIL:]
            line += chunk
            cut = line.rfind(b"\n") + 1
            if len(line) - cut > _TAIL:
                cut = len(line)
            self._keep(line[:cut])
            line = line[cut:]
        self._keep(line)
        os.close(source)

    def _keep(self, chunk: bytes) -> None:
        with self._lock, suppress(OSError, ValueError):  # a full disk, or closed by now
            if not chunk or self._room <= 0:
                return
            self._file.write(chunk[: self._room])
            self._room -= len(chunk)
            if self._room <= 0:
                self._file.write(b"\n[more was printed than is kept]\n")


def _read(source: int) -> bytes:
    try:
        return os.read(source, 65536)
    except OSError:  # a terminal that nobody has open any more
        return b""


def _write(target: int, chunk: bytes) -> bool:
    """Whether all was written; who reads may be gone."""
    view = memoryview(chunk)
    try:
        while view:
            view = view[os.write(target, view) :]
    except OSError:
        return False
    return True


def _pair(like: int) -> tuple[int, int]:
    """Two ends, to read and to write: of a terminal where descriptor `like` is one, else of a pipe."""
    try:
        if not os.isatty(like):
            return os.pipe()
        import termios  # noqa: PLC0415  (there are none on Windows)

        source, end = os.openpty()
    except (ImportError, OSError):
        return os.pipe()
    with suppress(termios.error, OSError):
        settings = termios.tcgetattr(end)
        settings[1] &= ~termios.OPOST  # the real terminal makes its line ends itself
        termios.tcsetattr(end, termios.TCSANOW, settings)
        termios.tcsetwinsize(end, termios.tcgetwinsize(like))
    return source, end
