"""What a deletion leaves to do outside the database."""

from __future__ import annotations

from pydantic import AwareDatetime

from tracker.domain.frozen import Frozen
from tracker.domain.ids import ExperimentId, ProjectId, PurgeId

__all__ = ["Purge"]


class Purge(Frozen):
    """Orders the scalars of an experiment, or of a whole project, to be removed."""

    id: PurgeId
    project_id: ProjectId
    experiment_id: ExperimentId | None = None
    requested_at: AwareDatetime
