"""An evaluation: a task on a dataset, on which models are compared. Clients call it an experiment."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from tracker.domain.evaluation.tasks import TaskDefinition
from tracker.domain.frozen import Frozen
from tracker.domain.ids import DatasetId, EvaluationId, ProjectId, UserId
from tracker.domain.text import Description, storable

__all__ = ["Evaluation"]


class Evaluation(Frozen):
    """What models are compared on.

    Attributes:
        max_samples: rows to take, the first ones; 0 or less means all.
        version: counts the saves; a save of an older one is refused.
    """

    id: EvaluationId
    project_id: ProjectId
    name: Annotated[
        str,
        StringConstraints(min_length=1, max_length=255, pattern=r"\S"),
        AfterValidator(storable),
    ]
    description: Description = ""
    dataset_id: DatasetId
    max_samples: Annotated[int, Field(ge=-(2**31), lt=2**31)] = -1
    task: TaskDefinition = TaskDefinition()
    created_at: AwareDatetime
    updated_at: AwareDatetime
    created_by: UserId | None = None
    version: int = 0
