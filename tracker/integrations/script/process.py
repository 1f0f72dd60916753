"""A child process whose output is kept, which gets the signals meant for it, and whose end is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from tracker.adapters.system.kernel import kills_in, oom_counter
from tracker.domain.errors import Invalid
from tracker.domain.experiments.ending import EndKind
from tracker.integrations.script.console import Console

__all__ = ["Ending", "run_command"]

PASSED_ON = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)
_TYPED = frozenset({signal.SIGINT, getattr(signal, "SIGQUIT", signal.SIGINT)})
READERS_SECONDS = 2.0


@dataclass(frozen=True)
class Ending:
    """How a process ended.

    Attributes:
        code: as ``subprocess`` has it: the exit code, or less than 0 = the signal that ended it.
        error: the last line of its standard error that reads like an exception's, if there is one.
        was_asked: a signal to end that was passed on to it.
        is_out_of_memory: whether the kernel killed for lack of memory meanwhile, in its control group.
    """

    code: int
    error: str | None = None
    was_asked: signal.Signals | None = None
    is_out_of_memory: bool = False

    @property
    def is_good(self) -> bool:
        """Whether it ended as it should."""
        return self.code == 0

    @property
    def shell_code(self) -> int:
        """The exit code that a shell would give: 128 + the signal where one ended it."""
        return self.code if self.code >= 0 else 128 - self.code

    @property
    def kind(self) -> EndKind:
        """What ended it, where it ended badly."""
        ended_by = signal.Signals(-self.code) if self.code < 0 and _is_signal(-self.code) else self.was_asked
        if ended_by == signal.SIGINT:
            return EndKind.INTERRUPTED
        if ended_by == signal.SIGKILL:
            return EndKind.OUT_OF_MEMORY if self.is_out_of_memory else EndKind.KILLED
        if ended_by in (signal.SIGTERM, signal.SIGHUP):
            return EndKind.TERMINATED
        if self.code < 0:
            return EndKind.KILLED
        return EndKind.EXCEPTION if self.error else EndKind.OTHER

    @property
    def reason(self) -> str | None:
        """Why it ended badly, in words; ``None`` when it ended well."""
        if self.is_good:
            return None
        if self.code < 0:
            why = ", as memory ran out" if self.kind is EndKind.OUT_OF_MEMORY else ""
            return f"ended by {_signal_name(-self.code)}{why}"
        asked = f", after {self.was_asked.name}" if self.was_asked else ""
        if self.error:
            return f"{self.error} (exit code {self.code}{asked})"
        return f"exit code {self.code}{asked}"


def run_command(command: Sequence[str], *, console: Path | None = None) -> Ending:
    """Runs `command` to its end, without a shell, with this process's input, environment and folder.

    Signals that this process gets meanwhile are passed on to it, once each: those typed at the terminal
    reach it by themselves.

    Args:
        command: the program and its arguments.
        console: file to keep what it prints in; ``None`` leaves its output alone.

    Raises:
        Invalid: it cannot be started.
    """
    counter = oom_counter()
    before = None if counter is None else kills_in(counter)
    kept = None if console is None else Console(console)
    out, err = (None, None) if kept is None else kept.ends()
    try:
        child = subprocess.Popen(command, stdout=out, stderr=err)  # noqa: S603  (the user's own command)
    except (OSError, ValueError) as error:
        if kept is not None:
            kept.close(0)
        why = getattr(error, "strerror", None) or error
        raise Invalid.field("command", f"{command[0]} cannot be started: {why}") from error
    with _passing_on(child) as asked:
        if kept is not None:
            kept.read()
        code = child.wait()
    if kept is not None:
        kept.close(READERS_SECONDS)
    killed = counter is not None and kills_in(counter) != before
    said = None if kept is None else kept.error
    return Ending(code, said, asked[-1] if asked else None, is_out_of_memory=killed)


@contextmanager
def _passing_on(child: subprocess.Popen[bytes]) -> Iterator[list[signal.Signals]]:
    """Passes signals on to `child` within the block; those that ask it to end are listed."""
    asked: list[signal.Signals] = []
    before: dict[int, Any] = {}

    def pass_on(number: int, frame: FrameType | None) -> None:
        ends = number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)
        if ends and before[number] is not signal.SIG_IGN:  # as by nohup; `child` ignores it, too
            asked.append(signal.Signals(number))
        if not (number in _TYPED and _at_a_terminal()):
            child.send_signal(number)

    if threading.current_thread() is threading.main_thread():
        for number in PASSED_ON:
            before[number] = signal.getsignal(number)
            signal.signal(number, pass_on)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _at_a_terminal() -> bool:
    """Whether this process and its child are what a terminal's keys interrupt."""
    try:
        return os.tcgetpgrp(sys.__stdin__.fileno()) == os.getpgrp() if sys.__stdin__ else False
    except (OSError, ValueError):
        return False


def _is_signal(number: int) -> bool:
    return number in {known.value for known in signal.Signals}


def _signal_name(number: int) -> str:
    return signal.Signals(number).name if _is_signal(number) else f"signal {number}"
