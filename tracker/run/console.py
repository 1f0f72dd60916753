"""Keeps what a run prints, while it is printed as before.

The descriptors of stdout and stderr lead to a small process (:mod:`tracker.run.console_log`), which passes
everything on at once and keeps it. So what subprocesses and C libraries print is kept, too; nothing waits
for this interpreter; and a crash of the training, even ``kill -9``, loses no line, since that process reads
on until nobody can write any more. Where stdout was a terminal, a terminal is put in its place: programs go
on to draw bars and colours. Where stdout is not the descriptor, as in notebooks, Python's own streams are
watched instead.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from tracker.run import console_log
from tracker.run.console_log import QUIET, STOP, ConsoleLog, Source, pump, waited
from tracker.warning import warn_of

__all__ = ["ConsoleCapture"]

DEFAULT_LIMIT = 16 * 2**20
_STOP_SECONDS = 2.0

_running: list[ConsoleCapture] = []
"""Those that were started, the newest last; each passes on to the one before it."""


def _warn(text: str) -> None:
    warn_of([text])


class ConsoleCapture:
    """What this process and its children print, in files.

    Args:
        folder: where the files go; made when it is not there.
        name: how they are called: ``NAME-0001.log`` and so on.
        limit: bytes of all files together.
        tell: takes why nothing can be kept, where that is so; by default a :class:`TrackerWarning`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "console",
        limit: int = DEFAULT_LIMIT,
        tell: Callable[[str], None] = _warn,
    ) -> None:
        self._folder, self._name, self._limit, self._tell = folder, name, limit, tell
        self._level: Literal["descriptors", "streams"] | None = None
        self._pid = os.getpid()
        self._streams: _Streams | None = None
        self._tee: _Tee | None = None
        self._is_stopping = False

    @property
    def level(self) -> Literal["descriptors", "streams"] | None:
        """How it watches; ``None`` when it does not."""
        return self._level

    @property
    def files(self) -> tuple[Path, ...]:
        """What was kept, oldest first; all but the last are complete."""
        return tuple(sorted(self._folder.glob(f"{self._name}-[0-9]*.log")))

    def start(self) -> bool:
        """Begins; whether it could. It never raises, and once is enough."""
        if self._level is not None:
            return True
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if _descriptors_are_printed_to():
                with contextlib.suppress(OSError, ValueError):
                    self._tee = _Tee(self._folder, self._name, self._limit)
                    self._level = "descriptors"
            if self._level is None:
                self._streams = _Streams(ConsoleLog(self._folder, self._name, self._limit))
                self._level = "streams"
        except Exception as error:  # a run without it is better than none
            self._tell(f"console: what is printed is not kept: {error}")
            return False
        _running.append(self)
        return True

    def stop(self, timeout: float = _STOP_SECONDS) -> None:
        """Puts everything back; all that was printed before is in the files when it returns.

        Another one that was started later goes on, and puts back what is left when it stops.

        Args:
            timeout: seconds to wait for the last lines.
        """
        if self._level is None or self._pid != os.getpid() or self._is_stopping:
            return
        self._is_stopping = True
        with contextlib.suppress(Exception):
            if self._tee is not None and _running[-1] is not self:
                self._tee.be_quiet(timeout)
        while _running and _running[-1]._is_stopping:
            _running.pop()._put_back(timeout)

    def _put_back(self, timeout: float) -> None:
        with contextlib.suppress(Exception):
            if self._tee is not None:
                self._tee.stop(timeout)
            if self._streams is not None:
                self._streams.stop()
        self._level, self._is_stopping = None, False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _descriptors_are_printed_to() -> bool:
    """Whether ``print`` ends up in descriptor 1 and what is called stderr in 2."""
    try:
        return sys.stdout.fileno() == 1 and sys.stderr.fileno() == 2 and bool(sys.executable)
    except (AttributeError, OSError, ValueError):
        return False


class _Tee:
    """Descriptors 1 and 2 on a detour through a process that keeps what comes by."""

    def __init__(self, folder: Path, name: str, limit: int) -> None:
        _flush()
        self._log = folder.absolute(), name, limit
        self._lock = threading.Lock()
        self._is_over = False
        self._saved = {number: os.dup(number) for number in (1, 2)}
        # One detour for both where both are the same: two would mix up the order of their lines.
        is_one = os.path.samestat(os.fstat(1), os.fstat(2))
        first, write_out = self._detour(1, "out")
        second, write_err = (first, write_out) if is_one else self._detour(2, "err")
        self._sources = [first] if is_one else [first, second]
        self._control, self._answer = os.pipe(), os.pipe()
        try:
            self._process = self._start()
            os.dup2(write_out, 1)
            os.dup2(write_err, 2)
        finally:
            for descriptor in {write_out, write_err}:
                os.close(descriptor)
        # What Python holds back would be lost in a crash.
        self._buffered = [each for each in (sys.stdout, sys.stderr) if _set_buffering(each, by_line=True)]
        threading.Thread(target=self._watch, name="tracker-console", daemon=True).start()

    def be_quiet(self, timeout: float) -> None:
        """Passes on without keeping."""
        _flush()
        self._ask(QUIET, timeout)

    def stop(self, timeout: float) -> None:
        """Puts the descriptors back and waits until all is kept."""
        _flush()
        with self._lock:
            if self._is_over:  # the program has closed its streams itself
                return
            for number, saved in self._saved.items():
                os.dup2(saved, number)
            for stream in self._buffered:
                _set_buffering(stream, by_line=False)
            self._ask(STOP, timeout)

    def _ask(self, word: bytes, timeout: float) -> None:
        os.write(self._control[1], word)
        if waited([self._answer[0]], timeout):
            os.read(self._answer[0], 1)

    def _detour(self, number: int, stream: str) -> tuple[Source, int]:
        """What is to be read in place of a descriptor, and what to write to."""
        is_terminal = os.isatty(number)
        read, write = _terminal_like(number) if is_terminal else os.pipe()
        return Source(read, self._saved[number], stream, is_terminal), write

    def _start(self) -> subprocess.Popen[bytes]:
        folder, name, limit = self._log
        told = {
            "folder": str(folder), "name": name, "limit": limit, "sources": self._sources,
            "control": self._control[0], "answer": self._answer[1],
        }  # fmt: skip
        descriptors = {number for each in self._sources for number in (each.read, each.write)}
        return subprocess.Popen(  # noqa: S603 - this Python, and a file of this package
            [sys.executable, "-I", "-S", console_log.__file__, json.dumps(told)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[*descriptors, self._control[0], self._answer[1]],
            start_new_session=True,  # no key and no hang-up ends it before its work is done
            cwd="/",
        )

    def _watch(self) -> None:
        """Takes over when the process is killed: this one must not write to nobody."""
        with contextlib.suppress(Exception):
            if self._process.wait() != 0:
                pump(self._sources, ConsoleLog(*self._log), self._control[0], self._answer[1])
        with self._lock:
            self._is_over = True
            reads = [each.read for each in self._sources]
            for descriptor in (*self._saved.values(), *reads, *self._control, *self._answer):
                os.close(descriptor)


class _Streams:
    """Python's own streams, with what is written to them kept."""

    def __init__(self, log: ConsoleLog) -> None:
        self._log = log
        self._before = sys.stdout, sys.stderr
        self._ours: tuple[Any, Any] = _Watched(sys.stdout, "out", log), _Watched(sys.stderr, "err", log)
        sys.stdout, sys.stderr = self._ours

    def stop(self) -> None:
        """Puts back what nobody has replaced meanwhile."""
        if sys.stdout is self._ours[0]:
            sys.stdout = self._before[0]
        if sys.stderr is self._ours[1]:
            sys.stderr = self._before[1]
        self._log.close()


class _Watched:
    """A text stream that is what it was before, and tells the log what is written to it."""

    def __init__(self, stream: Any, name: str, log: ConsoleLog) -> None:
        self._stream, self._name, self._log = stream, name, log

    def write(self, text: str) -> Any:
        """Writes; then keeps it."""
        written = self._stream.write(text)
        with contextlib.suppress(Exception):
            self._log.feed_text(self._name, text)
        return written

    def writelines(self, lines: Iterable[str]) -> None:
        """Writes them all."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _terminal_like(number: int) -> tuple[int, int]:
    """Both ends of a new terminal that looks like the one behind a descriptor, and changes no byte."""
    import fcntl  # noqa: PLC0415  (only where there are terminals)
    import termios  # noqa: PLC0415

    master, slave = os.openpty()
    mode = termios.tcgetattr(number)
    mode[1] &= ~termios.OPOST  # the real one turns \n into \r\n
    mode[3] &= ~termios.ECHO
    termios.tcsetattr(slave, termios.TCSANOW, mode)
    size = fcntl.ioctl(number, termios.TIOCGWINSZ, bytes(8))
    fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
    return master, slave


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


def _set_buffering(stream: Any, *, by_line: bool) -> bool:
    """Has Python write a stream's lines at once, or not; whether that changed anything."""
    if getattr(stream, "line_buffering", by_line) == by_line or not hasattr(stream, "reconfigure"):
        return False
    stream.reconfigure(line_buffering=by_line)
    return True
