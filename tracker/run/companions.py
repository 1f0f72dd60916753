"""What goes on beside a run: what it prints is kept, and what the machine does is measured."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tracker.domain.errors import TrackerError
from tracker.journal.folder import JournalFolder

if TYPE_CHECKING:
    from tracker.capture import Started
    from tracker.run.console import ConsoleCapture
    from tracker.run.system import SystemSampler

__all__ = ["Companions"]


class Companions:
    """Starts and stops them; nothing that goes wrong with one reaches the run.

    Args:
        journal: the run's folder.
        tell: warns of what cannot be had.
    """

    def __init__(self, journal: JournalFolder, tell: Callable[[str], None]) -> None:
        self._journal = journal
        self._tell = tell
        self._began = time.monotonic()
        self._console: ConsoleCapture | None = None
        self._system: SystemSampler | None = None
        self._capturing: threading.Thread | None = None

    def keep_console(self) -> None:
        """Keeps what is printed from now on."""
        from tracker.run.console import ConsoleCapture  # noqa: PLC0415 - few runs want it

        console = ConsoleCapture(self._journal.console, tell=self._tell)
        if console.start():
            self._console = console

    def watch_system(self, log: Callable[[Mapping[str, float], int], None]) -> None:
        """Logs the machine's load from now on.

        Args:
            log: takes values, and whole seconds since the start as their step.
        """
        from tracker.run.system import SystemSampler  # noqa: PLC0415 - few runs want it

        def at_second(values: Mapping[str, float]) -> None:
            log(values, int(time.monotonic() - self._began))

        try:
            self._system = SystemSampler(at_second, folder=self._journal.path)
            self._system.start()
        except TrackerError as error:
            self._tell(error.detail)

    def capture(self, environ: Mapping[str, str], data: Path) -> None:
        """Keeps what runs: code, packages, hardware. It is made by another process, and waits for nobody."""
        from tracker.capture import Started  # noqa: PLC0415 - not every run wants it

        started = Started.now()
        self._capturing = threading.Thread(
            target=self._capture, args=(environ, started, data), name="tracker-capture", daemon=True
        )
        self._capturing.start()

    def _capture(self, environ: Mapping[str, str], started: Started, data: Path) -> None:
        from tracker.capture import capture_apart  # noqa: PLC0415

        try:
            self._journal.capture.mkdir(parents=True, exist_ok=True, mode=0o700)
            capture_apart(self._journal.capture, environ=environ, started=started, excluded=[data])
        except Exception as error:  # a run without it is better than none
            self._tell(f"capture: what runs is not kept: {error}")

    def wait(self, timeout: float) -> None:
        """Waits for the capture of a run that was shorter than that."""
        if self._capturing is not None:
            self._capturing.join(max(0.0, timeout))

    @property
    def cost(self) -> float:
        """Seconds of CPU that measuring took."""
        return 0.0 if self._system is None else self._system.cost

    def stop(self) -> None:
        """Ends all of it; what was printed before is in the journal's folder when it returns."""
        for each in (self._system, self._console):
            if each is not None:
                with suppress(Exception):
                    each.stop()
