"""One process's own file of frames: appended to by ``log()``, closed and handed on by a thread."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import operator
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

from tracker.journal import frames
from tracker.journal.frames import HEAD, PackRow

__all__ = ["CLOSED", "OPEN", "SegmentWriter"]

OPEN, CLOSED = ".open", ".seg"
LARGEST = 16 * 2**20
"""Bytes after which a segment is closed in any case."""

MOST_REFUSED = 64 * 2**20
"""Bytes that are kept in memory while the disk takes nothing; more are lost, and counted."""

SECONDS_BETWEEN_TRIES = 0.25

_writers: weakref.WeakSet[SegmentWriter] = weakref.WeakSet()


class SegmentWriter:
    """Appends frames to a segment, each with one ``write``.

    Threads of one process take turns. A forked child has a segment of its own from its first row
    on, and so has a signal's handler that logs while it interrupts a call. What the disk refuses
    waits in memory and is written, in order, when it takes it.

    Args:
        folder: the run's.
        about: the content of each segment's header; asked anew in a forked child.
        largest: bytes after which a segment is closed.
    """

    def __init__(
        self, folder: Path, about: Callable[[], Mapping[str, Any]], *, largest: int = LARGEST
    ) -> None:
        self._folder = folder
        self._about = about
        self._largest = largest
        self.on_refusal: Callable[[OSError], object] = lambda _: None
        self.step = 0  # the next one, for rows that come without
        self._lock = threading.RLock()  # also entered by a signal's handler within log()
        self._begin()
        _writers.add(self)

    def _begin(self) -> None:
        """As it is before the first row, in the process that is to write it."""
        self.name = f"{time.time_ns():016x}{os.urandom(4).hex()}"
        self._number = 0
        self._descriptor = -1
        self._size = 0
        self._packs: dict[tuple[str, ...], PackRow] = {}
        self._refused: deque[bytes] = deque()
        self._refused_bytes = 0
        self._values = 0  # in the open segment, or waiting for one
        self._closed: dict[Path, int] = {}  # and their values, until they are carried
        self._taken = 0  # values in closed segments, carried or not
        self.lost = 0  # calls that neither disk nor memory had room for
        self._path = Path()
        self._next_try = 0.0
        self._is_inside = False  # a call is under way; by this thread, if it holds the lock
        self._within: SegmentWriter | None = None

    def row(self, values: Mapping[str, Any], step: int | None) -> None:
        """Writes the values of one step, as of now; the fast way, for names that are known.

        Raises:
            KeyError: for the slow way: names that the segment does not know yet.
            struct.error: for the slow way: something that is no number.
            OSError: never: what the disk refuses waits in memory.
        """
        with self._lock:
            if self._is_inside:
                self._interrupted().row(values, step)
                return
            self._is_inside = True
            try:
                chosen = self.step if step is None else step
                body = self._packs[tuple(values)](chosen, time.time_ns() // 1000, *values.values())
                self.step = chosen + 1
                self._write(HEAD.pack(len(body), crc32(body)) + body)
                self._values += len(values)
                if self._size > self._largest:
                    self._turn()
            finally:
                self._is_inside = False

    def slow_row(self, values: Mapping[str, float], step: int | None, *, aside: bool = False) -> None:
        """Writes a row whose names are checked, and its values plain numbers.

        Args:
            values: by name.
            step: of the row; ``None`` = the next one.
            aside: whether the next step of others stays what it is.

        Raises:
            OverflowError: `step` does not fit into 64 bits.
        """
        with self._lock:
            if self._is_inside:
                self._interrupted().slow_row(values, step, aside=aside)
                return
            self._is_inside = True
            try:
                self._slow_row(values, step, aside)
                self._turn_if_large()
            finally:
                self._is_inside = False

    def event(self, content: Mapping[str, Any]) -> None:
        """Writes something that is no scalar."""
        with self._lock:
            if self._is_inside:
                self._interrupted().event(content)
                return
            self._is_inside = True
            try:
                self._ready()
                self._write(frames.event(content))
                self._turn_if_large()
            finally:
                self._is_inside = False

    def turn(self, *, last: bool = False) -> bool:
        """Closes the segment, if there is one, for whoever carries it; the next row begins another.

        What a signal's handler interrupts stays open: it is not whole yet.

        Args:
            last: gives up what the disk still refuses; else nothing is closed while it does.

        Returns:
            Whether there is a newly closed one.
        """
        with self._lock:
            is_closed = self._within is not None and self._within.turn(last=last)
            if self._is_inside:
                return is_closed
            self._is_inside = True
            try:
                return self._turn(last=last) or is_closed
            finally:
                self._is_inside = False

    def _slow_row(self, values: Mapping[str, float], step: int | None, aside: bool) -> None:
        chosen = self.step if step is None else operator.index(step)
        if not -(2**63) <= chosen < 2**63:
            raise OverflowError
        if not aside:
            self.step = chosen + 1
        self._ready()
        key = tuple(values)
        pack, named = self._packs.get(key), b""
        if pack is None:
            number = len(self._packs)
            pack, named = frames.pack_row(number, len(key)), frames.names(number, key)
        self._write(named + frames.framed(pack(chosen, time.time_ns() // 1000, *values.values())))
        self._packs[key] = pack  # only now: names that are not written are not known
        self._values += len(values)

    def _turn_if_large(self) -> None:
        if self._size > self._largest:  # only now: it forgets the names
            self._turn()

    def _turn(self, *, last: bool = False) -> bool:
        self._retry()
        if last and self._refused:
            self.lost += len(self._refused)
            self._refused.clear()
            self._refused_bytes = 0
        if self._descriptor < 0 or self._refused:
            return False
        descriptor, path, self._descriptor, self._packs = self._descriptor, self._path, -1, {}
        self._closed[path.with_suffix(CLOSED)], self._values = self._values, 0
        self._taken += self._closed[path.with_suffix(CLOSED)]
        try:
            path.replace(path.with_suffix(CLOSED))
        except FileNotFoundError:  # somebody removed it, but not what we hold open
            with contextlib.suppress(OSError):
                self._rescue(descriptor, path)
        except OSError:
            pass  # it is carried under its open name when this process is gone
        with contextlib.suppress(OSError):
            os.close(descriptor)
        return True

    def _interrupted(self) -> SegmentWriter:
        """The writer of signals' handlers that interrupt a call of this one, which is left as it is."""
        if self._within is None:
            self._within = SegmentWriter(self._folder, self._about, largest=self._largest)
            self._within.on_refusal = self.on_refusal
        self._within.step = self.step
        return self._within

    @property
    def taken(self) -> int:
        """How many values were written."""
        return self._taken + self._values + (self._within.taken if self._within else 0)

    @property
    def handed_on(self) -> int:
        """How many of them are in closed segments that nobody has carried yet."""
        with self._lock:
            self._closed = {path: count for path, count in self._closed.items() if path.exists()}
            return sum(self._closed.values()) + (self._within.handed_on if self._within else 0)

    @property
    def waiting(self) -> int:
        """How many of them are in segments that nobody has carried yet, closed or not."""
        return self._values + self.handed_on + (self._within._values if self._within else 0)

    def _ready(self) -> None:
        """Opens a segment if there is none; on failure rows wait in memory."""
        if self._descriptor < 0 and not self._refused:
            try:
                self._open()
            except OSError as error:
                self.on_refusal(error)

    def _open(self) -> None:
        """Begins a segment with its header.

        Raises:
            OSError: the disk does not take it.
        """
        path = self._folder / f"{self.name}-{self._number:06d}{OPEN}"
        begin = frames.header({**self._about(), "writer": self.name, "number": self._number})
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
        self._number += 1
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileNotFoundError:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, flags, 0o600)
        descriptor = _above_standard(descriptor)
        try:
            _write_all(descriptor, begin)
        except OSError:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        self._descriptor, self._path, self._size = descriptor, path, len(begin)

    def _write(self, frame: bytes) -> None:
        if self._refused and time.monotonic() >= self._next_try:
            self._retry()
        if self._descriptor >= 0 and not self._refused:
            try:
                self._append(frame)
            except OSError as error:
                self._refuse(frame)
                self.on_refusal(error)
            return
        self._refuse(frame)

    def _append(self, frame: bytes) -> None:
        _write_all(self._descriptor, frame)
        self._size += len(frame)

    def _refuse(self, frame: bytes) -> None:
        if not self._refused:
            self._next_try = time.monotonic() + SECONDS_BETWEEN_TRIES
        if self._refused_bytes + len(frame) > MOST_REFUSED:
            self.lost += 1
        else:
            self._refused.append(frame)
            self._refused_bytes += len(frame)

    def _retry(self) -> None:
        """Writes what the disk refused, in order, as far as it takes it now."""
        self._next_try = time.monotonic() + SECONDS_BETWEEN_TRIES
        try:
            if self._refused and self._descriptor < 0:
                self._open()
            while self._refused:
                self._append(self._refused[0])
                self._refused_bytes -= len(self._refused.popleft())
        except OSError:
            return

    def _rescue(self, descriptor: int, path: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        rescued = path.with_suffix(".rescued")
        rescued.write_bytes(os.pread(descriptor, os.fstat(descriptor).st_size, 0))
        rescued.replace(path.with_suffix(CLOSED))

    def _forked(self) -> None:
        """Leaves the parent's segment to the parent."""
        descriptor, self._lock = self._descriptor, threading.RLock()
        self._begin()
        if descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def _write_all(descriptor: int, frame: bytes) -> None:
    """One write; half of it is none.

    Raises:
        OSError: the disk did not take all of it.
    """
    written = os.write(descriptor, frame)
    if written != len(frame):  # half a frame would hide what follows it
        os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _above_standard(descriptor: int) -> int:
    """The same file where nobody prints: without standard streams it would get one of their numbers."""
    if descriptor > 2:
        return descriptor
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(descriptor)


def _leave_segments_to_parent() -> None:
    for writer in list(_writers):
        writer._forked()


os.register_at_fork(after_in_child=_leave_segments_to_parent)
