"""A part in a run that another process started, finishes and carries: a script under ``tracker run``."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from tracker.domain.errors import Invalid, Unavailable
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.journal.folder import JournalFolder
from tracker.journal.plan import RunPlan

if TYPE_CHECKING:
    from tracker.run.run import Run

__all__ = ["guest_plan", "known_experiment", "tell_guests"]


def tell_guests(run: Run) -> None:
    """Has processes that join `run` know its experiment, if it is made already."""
    journal = run._journal
    with suppress(OSError, Unavailable):
        made = run.experiment
        told = {
            "id": str(made.id), "project": str(made.project_id), "name": made.name, "color": made.color,
            "created": made.created_at.isoformat(),
        }  # fmt: skip
        journal.tell({**journal.about(), "experiment": told})


def guest_plan(journal: JournalFolder, own: RunPlan) -> RunPlan | None:
    """The plan of the run in a journal, for a process that joins it; ``None`` = nobody runs it any more.

    Args:
        journal: of the run.
        own: what this process would make of its own.
    """
    told = journal.about()
    if not told or told.get("ended"):
        return None
    try:
        plan = RunPlan.read(told)
    except (KeyError, TypeError, ValueError):
        return None
    return replace(plan, rank=own.rank, is_guest=True)


def known_experiment(journal: JournalFolder) -> Experiment | None:
    """The experiment that :func:`tell_guests` told, as far as it was told."""
    told = journal.about().get("experiment")
    try:
        return (
            None
            if told is None
            else Experiment(
                id=ExperimentId(UUID(told["id"])),
                project_id=ProjectId(UUID(told["project"])),
                name=told["name"],
                color=told["color"],
                status=Status.RUNNING,
                created_at=datetime.fromisoformat(told["created"]),
            )
        )
    except (Invalid, KeyError, TypeError, ValueError):  # of another version
        return None
