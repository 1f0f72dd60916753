"""What ran, on its way from the journal to the store."""

from __future__ import annotations

import logging
import shutil

from tracker.areas import AsyncTracker
from tracker.capture import Captured
from tracker.capture.sending import send
from tracker.domain.errors import Conflict, Forbidden, Invalid, StaleVersion
from tracker.domain.ids import ExperimentId
from tracker.journal.folder import JournalFolder

__all__ = ["carry_capture"]

_log = logging.getLogger("tracker.run")


async def carry_capture(journal: JournalFolder, library: AsyncTracker, experiment_id: ExperimentId) -> None:
    """Sends a capture that is complete, and removes it; without one does nothing.

    One that the store does not want, or that nobody can read, is told and removed: the rest goes on.

    Raises:
        TrackerError: the store does not take it now; it stays.
        OSError: the folder cannot be read.
    """
    if not journal.capture.exists():
        return
    try:
        captured = Captured.load(journal.capture)
        if captured is None:
            return
        await send(library, experiment_id, captured)
    except StaleVersion:  # somebody edited the experiment at the same moment: another time
        raise
    except (Invalid, Conflict, Forbidden, KeyError, TypeError, AttributeError) as error:
        _log.warning("what runs is not kept: %s", error)
    shutil.rmtree(journal.capture, ignore_errors=True)
