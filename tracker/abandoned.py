"""Runs on this machine whose process went away without ending them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from tracker.adapters.system.processes import fate
from tracker.areas import AsyncTracker
from tracker.domain.errors import NotFound
from tracker.domain.experiments.ending import EndKind
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.fate import Fate, Life
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId

__all__ = ["sweep"]

_JOURNAL = "journal"
_RECORD = "run.json"
_LARGEST = 1 << 20

_log = logging.getLogger("tracker.run")


async def sweep(library: AsyncTracker, folder: Path) -> tuple[ExperimentId, ...]:
    """Has the runs fail, with the reason, whose process is gone; these.

    Each run that writes through `folder` says who it is in ``journal/<key>/run.json``: ``experiment_id``,
    ``owner`` (see :func:`tracker.adapters.system.processes.owner`) and whether it ``ended``. Runs of other
    machines are left to their heartbeats. Where nothing is to do, this looks at one folder.

    Args:
        library: where the experiments are kept.
        folder: the data folder.

    Raises:
        Unavailable: the library does not answer.
    """
    swept = []
    for place in _places(folder / _JOURNAL):
        found = _gone(place)
        if found is not None and await _has_failed(library, place, *found):
            swept.append(found[0])
    return tuple(swept)


def _places(journal: Path) -> Iterator[Path]:
    try:
        places = sorted(journal.iterdir())
    except OSError:
        return
    yield from places


def _gone(place: Path) -> tuple[ExperimentId, Fate] | None:
    """The run that is written from here, if it has not ended but its process has."""
    record = _record(place / _RECORD)
    owner = record.get("owner")
    if record.get("ended") or not isinstance(owner, dict):
        return None
    try:
        experiment_id = ExperimentId(UUID(str(record.get("experiment_id"))))
    except ValueError:
        return None  # the library does not know it yet
    found = fate(owner)
    return (experiment_id, found) if found.life is Life.GONE else None


def _record(path: Path) -> dict[str, Any]:
    """What a run says of itself; nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_LARGEST))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


async def _has_failed(library: AsyncTracker, place: Path, experiment_id: ExperimentId, found: Fate) -> bool:
    try:
        present = await library.experiments.get(experiment_id)
        if not _is_news(present, found):
            return False
        if _gone(place) != (experiment_id, found):
            return False  # another process resumed it meanwhile
        told = {"end_kind": found.kind, "end_reason": found.reason}
        await library.experiments.edit(experiment_id, status=Status.FAILED, **told)
    except NotFound:
        return False  # it was deleted
    _log.info("%s failed: %s", present.name, found.reason)
    return True


def _is_news(present: Experiment, found: Fate) -> bool:
    """Whether it still counts as running, or is said to be lost where more is known now."""
    if present.status is Status.RUNNING:
        return True
    is_lost = present.status is Status.FAILED and present.end_kind is EndKind.LOST
    return is_lost and found.kind is not EndKind.LOST
