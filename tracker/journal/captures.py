"""What ran, on its way from the journal to the store."""

from __future__ import annotations

from tracker.areas import AsyncTracker
from tracker.capture import Captured
from tracker.capture.sending import send
from tracker.domain.ids import ExperimentId
from tracker.journal.folder import JournalFolder

__all__ = ["carry_capture"]


async def carry_capture(journal: JournalFolder, library: AsyncTracker, experiment_id: ExperimentId) -> None:
    """Sends a capture that is complete, and removes it; without one does nothing.

    Raises:
        TrackerError: the store does not take it now; it stays.
        OSError: the folder cannot be read.
    """
    if not journal.capture.exists():
        return
    captured = Captured.load(journal.capture)
    if captured is not None:
        await send(library, experiment_id, captured)
        captured.forget()
