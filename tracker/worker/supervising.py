"""The process that watches: it forks the one that works, and leaves nothing of it behind.

It runs no work, so nothing that the work does can keep it from ending it: when its time is over, when its
processes take more memory than they may, or when it is told to end. Where the watcher itself is killed, the
kernel kills the one that works.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracker.adapters.runners.attempt_folder import AttemptFolder
from tracker.adapters.runners.handover import WorkerConfig
from tracker.adapters.runners.processes import descendants, end_all, listed, memory_of
from tracker.adapters.system.kernel import kills_in, oom_counter
from tracker.adapters.system.processes import owner
from tracker.domain.errors import Invalid
from tracker.settings import adopt
from tracker.worker.endings import Ended, Ending
from tracker.worker.kernel_calls import adopt_orphans
from tracker.worker.output import LogFile, Output, Passing
from tracker.worker.working import work

__all__ = ["EXIT_CODES", "LAST_LINE", "supervise"]

EXIT_CODES = {Ended.FINISHED: 0, Ended.CRASHED: 1, Ended.REFUSED: 3}
LAST_LINE = "tracker.worker ended: "
_LOOK_SECONDS = 0.25
# Ray kills three seconds after it asked to end; a local runner does not ask.
_GRACE = {"file": 10.0, "stdout": 2.0}
_CHUNK = 65536


def supervise(config_path: Path, held: tuple[int, ...]) -> int:
    """Does an attempt from begin to end.

    Args:
        config_path: of its config file; the files about it are beside it.
        held: descriptors of locks, which it holds until it ends.

    Returns:
        The exit code.
    """
    for descriptor in held:
        os.set_inheritable(descriptor, False)
    folder = AttemptFolder(config_path.absolute().parent)
    try:
        config = WorkerConfig.from_bytes(config_path.read_bytes())
    except (OSError, Invalid) as error:
        return _tell(folder, None, Ending(Ended.REFUSED, f"{config_path.name} cannot be used: {error}"))
    handed_over = b"" if config.output == "stdout" else sys.stdin.buffer.read()
    folder.put("process.json", owner())
    if folder.has("killed"):
        return _tell(folder, config, Ending(Ended.CRASHED, "it was killed before it began"))
    # Kept open by all that is forked from here, and by nobody else.
    os.open(folder.path / "family", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    adopt_orphans()
    with _scratch(folder):
        return _tell(folder, config, _Watch(folder, config).of(handed_over))


@contextlib.contextmanager
def _scratch(folder: AttemptFolder) -> Iterator[None]:
    """Keeps temporary files together, so that they go however the attempt ends."""
    try:
        tempfile.tempdir = folder.make_scratch()
    except OSError as error:  # the work says what it cannot do without
        sys.stderr.write(f"there is no room for temporary files: {error}\n")
    else:
        adopt({"TMPDIR": tempfile.tempdir})  # for what the worker starts
    try:
        yield
    finally:
        folder.clear_scratch()


def _tell(folder: AttemptFolder, config: WorkerConfig | None, ending: Ending) -> int:
    told = {"status": str(ending.status), "why": ending.why}
    with contextlib.suppress(OSError):
        folder.put("ended.json", told)
    if config is not None and config.output == "stdout":
        Passing().last(LAST_LINE + json.dumps(told))
    return EXIT_CODES[ending.status]


class _Watch:
    """Watches over one process that works, and all below it."""

    def __init__(self, folder: AttemptFolder, config: WorkerConfig) -> None:
        self._config = config
        self._output: Output = LogFile(folder.log) if config.output == "file" else Passing()
        self._ends_at = time.monotonic() + config.errand.seconds
        self._told_to_end = False
        self._oom = oom_counter()
        self._oom_kills = None if self._oom is None else kills_in(self._oom)

    def of(self, handed_over: bytes) -> Ending:
        """Forks the worker and returns when nothing of it is left."""
        printed, output = os.pipe()
        said, ending = os.pipe()
        with self._signals() as wakeup:
            watcher = os.getpid()
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    signal.set_wakeup_fd(-1)
                    code = work(self._config, handed_over, watcher=watcher, output=output, ending=ending)
                finally:
                    os._exit(code)
            os.close(output)
            os.close(ending)
            status = self._until_ended(pid, printed, wakeup)
        os.set_blocking(said, False)
        while self._pass_on(printed):
            pass
        return self._ending(status, said)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[int]:
        """Where a byte comes when a child has ended or this process is told to end."""
        wakeup, waker = os.pipe()
        for end in (wakeup, waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._on_sigterm)
        yield wakeup

    def _on_sigterm(self, *_: Any) -> None:
        if not self._told_to_end:
            self._told_to_end = True
            self._ends_at = min(self._ends_at, time.monotonic() + _GRACE[self._config.output])

    def _until_ended(self, pid: int, printed: int, wakeup: int) -> int | Ending:
        """The wait status of the worker, or why it was killed; nothing of it is left."""
        os.set_blocking(printed, False)
        passed_on = False
        with selectors.DefaultSelector() as selector:
            selector.register(printed, selectors.EVENT_READ)
            selector.register(wakeup, selectors.EVENT_READ)
            while True:
                if self._told_to_end and not passed_on:
                    passed_on = True
                    os.kill(pid, signal.SIGTERM)
                for key, _ in selector.select(self._look_seconds()):
                    if key.fd == wakeup:
                        os.read(wakeup, 512)
                    elif not self._pass_on(printed):  # nobody has it open any more
                        selector.unregister(printed)
                if (status := _reaped(pid)) is not None:
                    _end_all_below()
                    return status
                if (ending := self._due()) is not None:
                    _end_all_below()
                    return ending

    def _look_seconds(self) -> float:
        left = max(0.0, self._ends_at - time.monotonic())
        return left if self._config.errand.memory_bytes is None else min(left, _LOOK_SECONDS)

    def _due(self) -> Ending | None:
        """Why the worker is to be killed; ``None`` while it may go on."""
        if time.monotonic() >= self._ends_at:
            if self._told_to_end:
                return Ending(Ended.CRASHED, "it was told to end (SIGTERM)")
            return Ending(Ended.CRASHED, f"it ran for longer than {self._config.errand.seconds:g} s")
        most = self._config.errand.memory_bytes
        if most is not None and (taken := memory_of(descendants(os.getpid(), listed()))) > most:
            why = f"killed, out of memory: its processes took {taken} bytes and may take {most}"
            return Ending(Ended.CRASHED, why)
        return None

    def _pass_on(self, printed: int) -> bool:
        """Passes on a piece of what was printed; whether there was any."""
        try:
            piece = os.read(printed, _CHUNK)
        except BlockingIOError:
            return False
        self._output.write(piece)
        return piece != b""

    def _ending(self, status: int | Ending, said: int) -> Ending:
        if isinstance(status, Ending):
            return status
        with contextlib.suppress(BlockingIOError, ValueError):
            found = json.loads(os.read(said, _CHUNK))
            return Ending(Ended(found["status"]), found["why"])
        return Ending(Ended.CRASHED, self._why_gone(os.waitstatus_to_exitcode(status)))

    def _why_gone(self, code: int) -> str:
        if self._told_to_end:
            return "it was told to end (SIGTERM)"
        if code >= 0:
            return f"its process ended with exit code {code}"
        kills = None if self._oom is None else kills_in(self._oom)
        if code == -signal.SIGKILL and None not in (kills, self._oom_kills) and kills != self._oom_kills:
            return "killed, out of memory: the kernel killed its process"
        return f"its process was killed by {signal.Signals(-code).name}"


def _reaped(wanted: int) -> int | None:
    """Lets go of children that have ended; the wait status of the one that is waited for."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == wanted:
            found = status


def _end_all_below() -> None:
    def below() -> set[int]:
        _reaped(0)
        return descendants(os.getpid(), listed())

    if not end_all(below):
        sys.stderr.write("some processes of the attempt could not be ended\n")
