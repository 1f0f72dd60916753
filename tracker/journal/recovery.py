"""Carries what runs left behind that are gone: killed, offline, or out of time when they ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tracker.areas import AsyncTracker
from tracker.domain.errors import NotFound, TrackerError
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.fate import Life
from tracker.domain.experiments.lifecycle import Status
from tracker.journal.abandoned import end_if_abandoned, fate_of
from tracker.journal.captures import carry_capture
from tracker.journal.carrying import carry
from tracker.journal.consoles import carry_console
from tracker.journal.folder import DAMAGED, JournalFolder, journals
from tracker.journal.frames import Block, Segment
from tracker.journal.plan import RunPlan, address

__all__ = ["Recovered", "destinations", "elsewhere", "own_destinations", "recover", "tell"]

SECONDS_APART = 60.0
"""By which the clocks of two machines, and a beat on its way, may differ."""

_log = logging.getLogger("tracker.run")


@dataclass
class Recovered:
    """What became of one journal.

    Attributes:
        name: the run's, or its key.
        url: where it goes; ``None`` = the folder itself.
        values: how many were carried now.
        waiting: bytes that are left in the folder.
        problem: why something is left; empty if it is known to be fine.
    """

    name: str
    url: str | None = None
    values: int = 0
    waiting: int = 0
    problem: str = ""


def destinations(data: Path) -> set[str | None]:
    """The servers for which something waits in a data folder; ``None`` = the folder itself."""
    return {plan.url for _, _, plan in _plans(data)}


def own_destinations(data: Path) -> set[str | None]:
    """Those of :func:`destinations` that this user chose, and not another who may write to the folder."""
    return {plan.url for journal, _, plan in _plans(data) if journal.is_private}


def tell(recovered: Recovered) -> None:
    """Says in the log what could not be carried."""
    if recovered.problem:
        _log.warning("%s: %s", recovered.name, recovered.problem)


async def recover(
    library: AsyncTracker, data: Path, url: str | None = None, *, others: bool = False
) -> list[Recovered]:
    """Carries the journals in `data` that are meant for `library` and whose run is over.

    A run whose process is gone without a word has failed, with the reason. A run that still goes on
    carries for itself. What cannot be carried stays, and is told. Where there is nothing to do, this
    looks at one folder.

    Args:
        library: open on `data`, or on the server at `url`.
        data: the data folder.
        url: the server.
        others: also those that ran on other machines and in other containers; somebody says that they are
            over.
    """
    found = []
    for journal, about, plan in _plans(data):
        journal.is_given_up = others
        if plan.url == address(url) and _is_over(journal):
            told = await _recover_one(journal, about, plan, library)
            if told is not None:
                found.append(told)
    return found


def elsewhere(data: Path, wanted: Collection[str | None]) -> list[Recovered]:
    """The journals for these servers that wait, of runs that may go on where nobody sees it from here."""
    found = []
    for journal, _, plan in _plans(data):
        fate, waiting = fate_of(journal), journal.waiting()
        if waiting and plan.url in wanted and fate is not None and fate.life is Life.UNKNOWN:
            told = f"{fate.reason}, as far as anybody knows here; once it is over: tracker sync --others"
            found.append(Recovered(plan.name or plan.key.hex, plan.url, waiting=waiting, problem=told))
    return found


def _is_over(journal: JournalFolder) -> bool:
    found = fate_of(journal)
    return found is None or found.life is Life.GONE


def _plans(data: Path) -> list[tuple[JournalFolder, Mapping[str, Any], RunPlan]]:
    """The journals whose ``run.json`` can be read; the others are told of."""
    found: list[tuple[JournalFolder, Mapping[str, Any], RunPlan]] = []
    for journal in journals(data):
        about = journal.about()
        try:
            found.append((journal, about, RunPlan.read(about)))
        except (KeyError, TypeError, ValueError):
            if journal.waiting():
                _log.warning("%s has no run.json that can be read, and is left as it is", journal.path)
    return found


async def _recover_one(
    journal: JournalFolder, about: Mapping[str, Any], plan: RunPlan, library: AsyncTracker
) -> Recovered | None:
    told = Recovered(plan.name or plan.key.hex, plan.url)

    def count(segment: Segment) -> None:
        told.values += sum(part.value.size for part in segment.parts if isinstance(part, Block))

    with journal.carrying() as is_ours:
        if not is_ours:  # somebody else is at it
            return None
        try:
            told.name = await _carried(journal, about, plan, library, count)
        except NotFound as error:
            if plan.url is None and about.get("experiment_id"):  # it was deleted, and what it logged with it
                journal.discard()
                return None
            told.problem = error.detail
        except Exception as error:  # one journal that is not as it should be must not keep a folder shut
            told.problem = error.detail if isinstance(error, TrackerError) else f"{journal.path}: {error!r}"
    told.waiting = journal.waiting()
    refused = sum(1 for _ in journal.path.glob(f"*{DAMAGED}"))
    if refused and not told.problem:
        told.problem = f"{refused} segments could not be read or were refused, and are kept in {journal.path}"
    return told


def _runs_elsewhere(journal: JournalFolder, experiment: Experiment) -> bool:
    """Whether somebody has resumed it since this journal was last written to: it beats."""
    beat = experiment.heartbeat_at
    if experiment.status is not Status.RUNNING or beat is None:
        return False
    return beat.timestamp() > journal.last_written() + SECONDS_APART


async def _made(plan: RunPlan, library: AsyncTracker) -> Experiment:
    """The experiment of a run that has none yet; what it was to derive from may be gone by now."""
    try:
        return await plan.make(library)
    except NotFound as error:
        if plan.parent is None and plan.resume is None:
            raise
        _log.warning("run %s begins without it: %s", plan.name or plan.key.hex, error.detail)
        return await replace(plan, parent=None, resume=None).make(library)


async def _carried(
    journal: JournalFolder,
    about: Mapping[str, Any],
    plan: RunPlan,
    library: AsyncTracker,
    count: Callable[[Segment], object],
) -> str:
    """Carries all there is and removes the journal; the experiment's name."""
    made = about.get("experiment_id")
    if made is None:
        made = (await _made(plan, library)).id
        journal.tell({**about, "experiment_id": str(made)})
    experiment = await library.experiments.get(made)
    is_elsewhere = _runs_elsewhere(journal, experiment)
    await carry(journal, library, experiment.id, carried=count, ends=not is_elsewhere)
    await carry_capture(journal, library, experiment.id)
    await carry_console(journal, library, experiment.id)
    if not is_elsewhere:
        await end_if_abandoned(library, journal, experiment.id)
    journal.remove()
    return experiment.name
