"""Ends a run: carries what is left, sets its status, and says how it went."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tracker.areas import word_of
from tracker.domain.experiments.ending import EndKind, shortened
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.journal.carrier import Carrier
from tracker.journal.folder import JournalFolder
from tracker.journal.segment import SegmentWriter
from tracker.run.ending import Ending
from tracker.run.told import told

__all__ = ["Closed", "close", "end_event"]

LEAST_SECONDS = 1.0
"""For letting go of the store: of the time that there is where that is twice as much, else beyond it."""

SECONDS_TO_TELL = 3.0


@dataclass(frozen=True)
class Closed:
    """How a run was left.

    Attributes:
        experiment: as the store has it; ``None`` when it never had one.
        unsaved: values that are not in the store.
        is_sent: whether everything is, the end included.
        ending: what there is to say.
    """

    experiment: Experiment | None
    unsaved: int
    is_sent: bool
    ending: Ending


def end_event(status: Status, kind: EndKind | str | None, reason: str | None) -> dict[str, Any]:
    """What the journal says of the end.

    Raises:
        Invalid: there is no such `kind`.
    """
    if status is Status.COMPLETE:
        return {"event": "end", "status": status.value}
    chosen = EndKind.OTHER if kind is None else word_of(EndKind, kind, "kind")
    said = None if reason is None else shortened(str(reason))
    return {"event": "end", "status": status.value, "kind": chosen.value, "reason": said}


def close(
    journal: JournalFolder,
    writer: SegmentWriter,
    carrier: Carrier | None,
    *,
    end: Mapping[str, Any] | None,
    known: Ending,
    timeout: float,
) -> Closed:
    """Carries everything within `timeout` seconds; what is not carried by then stays in the journal.

    Args:
        journal: the run's folder.
        writer: this process's segment.
        carrier: of this process, if it has one.
        end: the event that ends the run; ``None`` in a process that does not decide it.
        known: what the run knows of its end.
        timeout: seconds.
    """
    if timeout >= 2 * LEAST_SECONDS:
        timeout -= LEAST_SECONDS
    deadline = time.monotonic() + timeout
    if end is not None:
        writer.event(end)
    writer.turn(last=True)
    if carrier is None:
        _leave(journal, is_empty=False, decides=end is not None)
        return Closed(None, writer.waiting, False, _with_what_waits(known, writer.waiting))
    is_sent = carrier.drain(timeout) and (end is None or carrier.last(deadline - time.monotonic()))
    experiment = carrier.latest(deadline - time.monotonic())
    unsaved = writer.waiting + carrier.refused
    ending = known if is_sent else _with_what_waits(known, unsaved)
    if is_sent and experiment is not None and end is not None:
        ending = _told(carrier, experiment, ending, min(SECONDS_TO_TELL, deadline - time.monotonic()))
    carrier.close(LEAST_SECONDS + max(0.0, deadline - time.monotonic()))
    _leave(journal, is_empty=is_sent, decides=end is not None)
    return Closed(experiment, unsaved, is_sent, ending)


def _with_what_waits(known: Ending, unsaved: int) -> Ending:
    return known._replace(waiting=unsaved, where=known.where if unsaved else f"its end waits: {known.sync}")


def _told(carrier: Carrier, experiment: Experiment, known: Ending, within: float) -> Ending:
    if carrier.library is None or within <= 0:
        return known
    with suppress(Exception):  # a store that has just gone away: what the run knows is said
        return carrier.wait(told(carrier.library, experiment, known, within=within), within + 1)
    return known


def _leave(journal: JournalFolder, *, is_empty: bool, decides: bool) -> None:
    """Leaves the folder; to the first process of a job, if that still needs it."""
    about = journal.about()
    if not decides and about.get("rank") == 0 and not about.get("ended"):
        return
    if not (is_empty and journal.remove()):
        _mark_as_ended(journal)


def _mark_as_ended(journal: JournalFolder) -> None:
    """Says that nobody needs to look for the process any more."""
    about = journal.about()
    with suppress(OSError):
        if about:
            journal.tell({**about, "ended": True})
