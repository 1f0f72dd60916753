"""What a deletion leaves to do outside the database."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import AwareDatetime

from tracker.domain.frozen import Frozen
from tracker.domain.ids import ExperimentId, ProjectId, PurgeId

__all__ = ["GRACE", "Purge"]

GRACE = timedelta(days=1)
"""For how long bytes are kept to which nobody refers, and their uploader may refer to them."""


class Purge(Frozen):
    """Orders the scalars of an experiment, or of a whole project, to be removed; its blobs follow later."""

    id: PurgeId
    project_id: ProjectId
    experiment_id: ExperimentId | None = None
    requested_at: AwareDatetime

    @property
    def blobs_from(self) -> datetime:
        """When it is looked whether anybody else refers to its blobs."""
        return self.requested_at + GRACE
