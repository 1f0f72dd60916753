"""What a run logged that was abandoned when it was resumed at an earlier step."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AwareDatetime, Field

from tracker.domain.frozen import Frozen
from tracker.domain.ids import BranchId, ExperimentId, ProjectId, UserId
from tracker.domain.numbers import FiniteNumber, Step
from tracker.domain.text import Label, MetricName

__all__ = ["AbandonedValue", "Branch"]


class AbandonedValue(Frozen):
    """A final value that a branch took along."""

    name: MetricName
    label: Label | None = None
    step: Step
    value: FiniteNumber
    created_at: AwareDatetime


class Branch(Frozen):
    """The points at `from_step` and behind that an experiment had when it was resumed there.

    They are read under the branch's id as if it was an experiment's, by whoever may read those of its
    experiment.

    Attributes:
        from_step: the first step that was given up.
        made_at: when.
        made_by: by whom; ``None`` when nobody knows any more.
        is_made: whether the points have moved. One that is not yet is made by whoever resumes next.
        values: the experiment's final values of these steps.
        points: how many points there are; not kept, but counted when it is asked for.
    """

    id: BranchId
    experiment_id: ExperimentId
    project_id: ProjectId
    from_step: Step
    made_at: AwareDatetime
    made_by: UserId | None = None
    is_made: bool = False
    values: tuple[AbandonedValue, ...] = ()
    points: Annotated[int, Field(ge=0)] = 0

    @property
    def series_id(self) -> ExperimentId:
        """The id under which its points are read."""
        return ExperimentId(self.id)

    def made(self, values: tuple[AbandonedValue, ...]) -> Self:
        """The points have moved, and with them these values."""
        return self.evolve(is_made=True, values=values)
