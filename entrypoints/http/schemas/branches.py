"""Resuming on the wire, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from tracker.domain.experiments.branch import Branch

from .wire import Bounded64, CamelBody

__all__ = ["BranchOut", "Resume", "branch_out"]


class Resume(CamelBody):
    """Where the run goes on."""

    step: Annotated[
        Bounded64 | None,
        Field(description="What stands there and behind moves to a branch; null: nothing does"),
    ] = None


class ValueOut(TypedDict):
    """A final value that the branch took along."""

    name: str
    label: str | None
    step: int
    value: float
    createdAt: datetime


class BranchOut(TypedDict):
    """What a run gave up; its points are read under its id."""

    id: UUID
    experimentId: UUID
    projectId: UUID
    fromStep: int
    madeAt: datetime
    madeBy: UUID | None
    points: int
    values: Sequence[ValueOut]


def branch_out(branch: Branch) -> BranchOut:
    """A branch as the API shows it."""
    return {
        "id": branch.id,
        "experimentId": branch.experiment_id,
        "projectId": branch.project_id,
        "fromStep": branch.from_step,
        "madeAt": branch.made_at,
        "madeBy": branch.made_by,
        "points": branch.points,
        "values": [
            {
                "name": each.name,
                "label": each.label,
                "step": each.step,
                "value": each.value,
                "createdAt": each.created_at,
            }
            for each in branch.values
        ],
    }
