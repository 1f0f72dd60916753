"""What was printed, line by line in files of bounded size; runs as a process of its own, too.

This file needs nothing but Python: :mod:`tracker.run.console` starts it by its path, so that what a run
prints is passed on and kept by a process that no crash, no signal and no busy interpreter of the training can
stop before it has read the last line.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import re
import select
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["QUIET", "STOP", "ConsoleLog", "Screen", "Source", "pump", "waited"]

SNAPSHOT_SECONDS = 60.0
PARTS = 8
_CHUNK = 65_536
_LONGEST_LINE = 65_536
_MOST_ROWS = 200
_GRACE = 0.05
STOP, QUIET = b"s", b"q"

_TOKEN = re.compile(
    r"\n|\r|\x08|\x1b\[(?P<numbers>[0-9;?]*)[ -/]*(?P<letter>[@-~])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\^_]|[\x00-\x07\x0b\x0c\x0e-\x1f\x7f]"
)
_BEGUN = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*|\][^\x07\x1b]{0,512})?\Z")
_PLAIN = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f]*")


class Screen:
    """The lines of a terminal that may still change; a progress bar is one line, however often it is drawn.

    Carriage return, backspace, erasing and moves of the cursor do what they do on a terminal. Lines are
    done when the cursor leaves the last one downwards. Colours and titles are left out.
    """

    def __init__(self) -> None:
        self._rows: list[str | None] = [""]  # None: above what was seen, and done already
        self._at = 0
        self._column = 0
        self._begun = ""

    def feed(self, text: str) -> list[str]:
        """The lines that `text` completes."""
        text, self._begun = self._begun + text, ""
        done: list[str] = []
        if _PLAIN.fullmatch(text) and len(self._rows) == 1 and self._column == len(self._rows[0] or ""):
            *done, rest = ((self._rows[0] or "") + text).split("\n")
            self._rows, self._column = [rest], len(rest)
        else:
            if (begun := _BEGUN.search(text)) is not None:
                text, self._begun = text[: begun.start()], begun[0]
            at = 0
            for token in _TOKEN.finditer(text):
                self._put(text[at : token.start()])
                self._obey(token, done)
                at = token.end()
            self._put(text[at:])
        if len(self._rows[self._at] or "") > _LONGEST_LINE or len(self._rows) > _MOST_ROWS:
            done += self.close()
        return done

    def lines(self) -> list[str]:
        """The lines as they stand, but for empty ones."""
        return [row.rstrip() for row in self._rows if row and row.strip()]

    def close(self) -> list[str]:
        """The lines as they stand, which are done now."""
        found = self.lines()
        self._rows, self._at, self._column = [""], 0, 0
        return found

    def _put(self, text: str) -> None:
        if text:
            row = (self._rows[self._at] or "").ljust(self._column)
            end = self._column + len(text)
            self._rows[self._at] = row[: self._column] + text + row[end:]
            self._column = end

    def _obey(self, token: re.Match[str], done: list[str]) -> None:
        match token[0]:
            case "\n":
                self._column = 0
                self._at += 1
                if self._at == len(self._rows):
                    done += [row.rstrip() for row in self._rows if row is not None]
                    self._rows, self._at = [""], 0
            case "\r":
                self._column = 0
            case "\x08":
                self._column = max(0, self._column - 1)
            case _ if token["letter"]:
                self._move(token["letter"], token["numbers"])

    def _move(self, letter: str, numbers: str) -> None:
        count = int(numbers) if numbers.isdigit() else 0
        once = min(max(count, 1), _MOST_ROWS)
        row = self._rows[self._at] or ""
        match letter:
            case "A" | "F":
                self._at -= once
                if self._at < 0:
                    self._rows[:0] = [None] * -self._at
                    self._at = 0
            case "B" | "E":
                self._at += once
                self._rows += [""] * (self._at + 1 - len(self._rows))
            case "C":
                self._column += min(max(count, 1), _LONGEST_LINE)
            case "D":
                self._column = max(0, self._column - max(count, 1))
            case "G":
                self._column = min(max(count, 1), _LONGEST_LINE) - 1
            case "K":
                self._rows[self._at] = "" if count else row[: self._column]
        if letter in "EF":
            self._column = 0


class ConsoleLog:
    """Lines with their times in the files ``NAME-0001.log``, ``NAME-0002.log``... of a folder.

    A line is ``TIME STREAM TEXT`` with the time in UTC. Together the files take at most about `limit`
    bytes: the first one stays, as does what came last, and those between go. What cannot be written, on a
    full disk, is left out.

    Args:
        folder: there already.
        name: how the files are called.
        limit: bytes.
    """

    def __init__(self, folder: Path, name: str, limit: int) -> None:
        self._folder, self._name, self._part_bytes = folder, name, max(1, limit // PARTS)
        self._screens: dict[str, Screen] = {}
        self._decoders: dict[str, codecs.IncrementalDecoder] = {}
        self._written: dict[str, tuple[float, list[str]]] = {}
        self._file: int | None = None
        self._bytes = 0
        self._lock, self._pid = threading.RLock(), os.getpid()

    def feed(self, stream: str, data: bytes) -> None:
        """Keeps what a stream printed."""
        self._take(stream, self._decoder(stream).decode(data))

    def feed_text(self, stream: str, text: str) -> None:
        """The same of text."""
        self._take(stream, text)

    def close(self) -> None:
        """Keeps the lines that were not ended, and closes the file."""
        with self._own_lock():
            for stream, screen in self._screens.items():
                self._write(stream, screen.close())
            if self._file is not None:
                os.close(self._file)
            self._file = None

    def _take(self, stream: str, text: str) -> None:
        with self._own_lock():
            screen = self._screens.setdefault(stream, Screen())
            self._write(stream, screen.feed(text))
            # A bar that takes hours is seen every minute, if it moved.
            since, before = self._written.setdefault(stream, (time.monotonic(), []))
            if time.monotonic() - since >= SNAPSHOT_SECONDS and (lines := screen.lines()) != before:
                self._write(stream, lines)
                self._written[stream] = time.monotonic(), lines

    def _own_lock(self) -> threading.RLock:
        """The lock, which in a forked child nobody holds; a signal may print while it is held."""
        if self._pid != os.getpid():
            self._lock, self._pid = threading.RLock(), os.getpid()
        return self._lock

    def _decoder(self, stream: str) -> codecs.IncrementalDecoder:
        if stream not in self._decoders:
            self._decoders[stream] = codecs.getincrementaldecoder("utf-8")("replace")
        return self._decoders[stream]

    def _write(self, stream: str, lines: Sequence[str]) -> None:
        if not lines:
            return
        self._written[stream] = time.monotonic(), []
        seconds, millis = divmod(time.time_ns() // 1_000_000, 1000)
        head = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{millis:03}Z {stream} "
        for start in range(0, len(lines), 1000):
            data = "".join(f"{head}{line}\n" for line in lines[start : start + 1000])
            with contextlib.suppress(OSError):
                self._append(data.encode("utf-8", "replace"))

    def _append(self, data: bytes) -> None:
        if self._file is None or self._bytes >= self._part_bytes:
            self._next_part()
        if self._file is not None:
            self._bytes += os.write(self._file, data)

    def _next_part(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        there = sorted(self._folder.glob(f"{self._name}-[0-9]*.log"))
        number = int(there[-1].stem.rpartition("-")[2]) + 1 if there else 1
        path = self._folder / f"{self._name}-{number:04}.log"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._bytes = 0
        for old in there[1 : max(1, len(there) + 2 - PARTS)]:
            old.unlink(missing_ok=True)


class Source(NamedTuple):
    """What is read, and where it goes.

    Attributes:
        read: descriptor of a pipe or of the master of a terminal.
        write: descriptor that it is passed on to.
        stream: how it is called in the log.
        is_terminal: whether both are terminals, of which the first takes the size of the second.
    """

    read: int
    write: int
    stream: str
    is_terminal: bool


def pump(sources: Sequence[Source], log: ConsoleLog, control: int = -1, answer: int = -1) -> None:
    """Passes on and keeps all that comes, until nobody can write any more.

    Args:
        sources: what to read.
        log: keeps it; closed at the end.
        control: descriptor on which :data:`STOP` asks for an answer once all that was written before is kept;
            after :data:`QUIET` nothing more is kept, too; -1 = none.
        answer: descriptor for that answer, which is the word.
    """
    open_ones = {source.read: source for source in sources}
    is_kept, asked = True, b""
    while open_ones:
        watched = [*open_ones, control] if control >= 0 and not asked else [*open_ones]
        # What was written to a terminal is there a moment later.
        ready = waited(watched, _GRACE if asked else None)
        for descriptor in open_ones.keys() & set(ready):
            if not _passed_on(open_ones[descriptor], log if is_kept else None):
                del open_ones[descriptor]
        if ready == [control]:  # all that came before the word is read by now
            asked = os.read(control, 1)
            control = control if asked else -1
        elif asked and not ready:
            log.close()
            is_kept = is_kept and asked != QUIET
            with contextlib.suppress(OSError):
                os.write(answer, asked)
            asked = b""
    log.close()
    with contextlib.suppress(OSError):  # whoever asks, or is about to, need not wait
        os.write(answer, STOP)


def waited(descriptors: Sequence[int], seconds: float | None) -> list[int]:
    """Those that have something to read, or whose other end has gone; none when the time is over."""
    poll = select.poll()  # select() takes no descriptor above 1023
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return [descriptor for descriptor, _ in poll.poll(None if seconds is None else seconds * 1000)]


def _passed_on(source: Source, log: ConsoleLog | None) -> bool:
    """Whether there may be more."""
    try:
        data = os.read(source.read, _CHUNK)
    except OSError:  # a terminal that nobody has open any more
        return False
    if not data:
        return False
    if source.is_terminal:
        _take_size(source)
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(source.write, rest) :]
        except BlockingIOError:
            time.sleep(0.01)  # somebody made it non-blocking
        except OSError:  # whoever looked at it has gone; the log goes on
            break
    if log is not None:
        log.feed(source.stream, data)
    return True


def _take_size(source: Source) -> None:
    import fcntl  # noqa: PLC0415  (only where there are terminals)
    import termios  # noqa: PLC0415

    with contextlib.suppress(OSError):
        size = fcntl.ioctl(source.write, termios.TIOCGWINSZ, bytes(8))
        fcntl.ioctl(source.read, termios.TIOCSWINSZ, size)


def main(words: Sequence[str]) -> None:
    """The process: its one argument says as JSON what :func:`pump` is to do."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)  # it ends when there is nothing left to read
    told = json.loads(words[0])
    log = ConsoleLog(Path(told["folder"]), told["name"], told["limit"])
    pump([Source(*each) for each in told["sources"]], log, told["control"], told["answer"])


if __name__ == "__main__":
    main(sys.argv[1:])
