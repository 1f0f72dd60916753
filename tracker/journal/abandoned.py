"""Runs on this machine whose process went away without ending them."""

from __future__ import annotations

import logging

from tracker.adapters.system.processes import fate
from tracker.areas import AsyncTracker
from tracker.domain.experiments.ending import EndKind
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.fate import Fate, Life
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId
from tracker.journal.folder import JournalFolder

__all__ = ["end_if_abandoned", "fate_of"]

_log = logging.getLogger("tracker.run")


def fate_of(journal: JournalFolder) -> Fate | None:
    """What became of the process of a run that has not said that it ended; ``None`` where it has.

    Each run says who it is in its ``run.json``: ``owner`` (:func:`tracker.adapters.system.processes.owner`)
    and whether it ``ended``. What becomes of runs of other machines is left to their heartbeats.
    """
    about = journal.about()
    owner = about.get("owner")
    if about.get("ended") or not isinstance(owner, dict):
        return None
    found = fate(owner)
    if journal.is_given_up and found.life is Life.UNKNOWN:
        return Fate.lost(f"given up: {found.reason}, and somebody said that it is over")
    return found


async def end_if_abandoned(
    library: AsyncTracker, journal: JournalFolder, experiment_id: ExperimentId
) -> None:
    """Has a run fail, with the reason, whose process is gone; of a job, the first process.

    Raises:
        TrackerError: the library does not answer, or the experiment was deleted.
    """
    found = fate_of(journal)
    if found is None or found.life is not Life.GONE or journal.about().get("rank"):
        return
    present = await library.experiments.get(experiment_id)
    if not _is_news(present, found) or fate_of(journal) != found:  # another process resumed it meanwhile
        return
    await library.experiments.edit(
        experiment_id, status=Status.FAILED, end_kind=found.kind, end_reason=found.reason
    )
    _log.info("%s failed: %s", present.name, found.reason)


def _is_news(present: Experiment, found: Fate) -> bool:
    """Whether it still counts as running, or is said to be lost where more is known now."""
    if present.status is Status.RUNNING:
        return True
    is_lost = present.status is Status.FAILED and present.end_kind is EndKind.LOST
    return is_lost and found.kind is not EndKind.LOST
