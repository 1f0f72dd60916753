"""What goes on beside a run: what it prints is kept, and what the machine does is measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from tracker.domain.errors import TrackerError
from tracker.journal.folder import JournalFolder

if TYPE_CHECKING:
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
