"""Takes what a run is given, checks it, and writes it to the segment of this process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from tracker.domain.errors import Conflict, Invalid
from tracker.domain.json_tree import flatten
from tracker.journal.segment import SegmentWriter
from tracker.run.complaints import Complaints
from tracker.run.values import metric_name, number, step_of

__all__ = ["Taking"]

SECONDS_BETWEEN_TURNS = 1.0

Row = Callable[[Mapping[str, Any], int | None], None]


class Taking:
    """The way of values and events into the journal, in whichever process they come.

    Args:
        writer: this process's segment; ``None`` keeps nothing.
        complaints: hear of what cannot be taken.
        rank: of this process in its job.
        is_turned: whether somebody in this process closes segments; in any other, and in its forked
            children, a thread does, for the carrier elsewhere.
    """

    def __init__(
        self, writer: SegmentWriter | None, complaints: Complaints, *, rank: int, is_turned: bool
    ) -> None:
        self._writer = writer
        self._complaints = complaints
        self._rank = rank
        self._turner_pid = os.getpid() if is_turned else 0
        self.is_open = True
        if writer is not None:
            writer.on_refusal = self._refused
        self.row: Row = self._discard if writer is None else writer.row
        """The fast way; whatever it raises, :meth:`slow_row` does the same with checks."""

    def slow_row(self, values: Mapping[str, Any], step: int | None, *, aside: bool = False) -> None:
        """Checks and writes a row; values that are no numbers are complained of, the others kept.

        Args:
            values: by name, nested or not.
            step: of the row; ``None`` = the next one.
            aside: whether it leaves the next step of others as it is.
        """
        with self._complaints.about("log"):
            self.require_open()
            if not isinstance(values, Mapping):
                raise Invalid.field("values", f"must be numbers by name, not {type(values).__name__}")
            numbers: dict[str, float] = {}
            for key, value in flatten(values).items():
                with self._complaints.about("log"):
                    numbers[metric_name(key, rank=self._rank)] = number(key, value)
            chosen = None if step is None else step_of(step)
            if numbers:
                self._write(numbers, chosen, aside=aside)

    def event(self, event: str, **content: Any) -> None:
        """Writes an event.

        Raises:
            Conflict: the run is finished.
        """
        self.require_open()
        if self._writer is not None:
            self._see_to_turning()
            self._writer.event({"event": event, **content})

    def require_open(self) -> None:
        """Lets pass as long as the run is open.

        Raises:
            Conflict: it is finished.
        """
        if not self.is_open:
            raise Conflict("the run is finished; tracker.init() starts another one")

    def _write(self, numbers: Mapping[str, float], step: int | None, *, aside: bool) -> None:
        if self._writer is None:
            return
        self._see_to_turning()
        try:
            self._writer.slow_row(numbers, step, aside=aside)
        except OverflowError as error:
            raise Invalid.field("step", "the next one does not fit into 64 bits; give one") from error

    def _see_to_turning(self) -> None:
        if self._turner_pid != os.getpid():
            self._turner_pid = os.getpid()
            threading.Thread(target=self._turn, name="tracker-run", daemon=True).start()

    def _turn(self) -> None:
        while self.is_open and self._writer is not None:
            time.sleep(SECONDS_BETWEEN_TURNS)
            with self._complaints.about("journal"):
                self._writer.turn()

    def _discard(self, values: Mapping[str, Any], step: int | None) -> None:
        self.require_open()

    def _refused(self, error: OSError) -> None:
        self._complaints.tell(
            "disk", f"the journal takes nothing now, values wait in memory: {error.strerror or error}"
        )
