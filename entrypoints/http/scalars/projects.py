"""Which projects the service was told of."""

from __future__ import annotations

from uuid import UUID

import numpy as np

from tracker.domain.errors import Conflict, NotFound
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.domain.scalars.series import TimeWindow
from tracker.ports.scalars import ScalarStore

__all__ = ["AnnouncedProjects"]

_NOBODY = ExperimentId(UUID(int=0))
_ALWAYS = TimeWindow()


class AnnouncedProjects:
    """The projects created through ``POST /projects``, and those that have points anyway.

    A store needs no announcing, but the contract does. So the mark of a created project is a tag in
    the store itself, of an experiment that no run has: it is as durable as the points, other
    processes see it, and it goes when the project goes.
    """

    def __init__(self, store: ScalarStore) -> None:
        self._store = store
        self._known: set[ProjectId] = set()

    async def create(self, project_id: ProjectId) -> None:
        """Marks a project; again changes nothing.

        Raises:
            Conflict: the project was deleted, for good.
        """
        whole = np.empty(0, np.int64)
        mark = ScalarBatch(
            id=BatchId(UUID(int=0)),
            experiment_id=_NOBODY,
            names=(),
            series=whole,
            step=whole,
            time=whole,
            value=np.empty(0, np.float64),
            tags=(StepTags(step=0, names=(), tags=("created",)),),
        )
        try:
            await self._store.append(project_id, mark)
        except NotFound as error:
            raise Conflict(f"project {project_id} was deleted; its id cannot be used again") from error
        self._known.add(project_id)

    async def exists(self, project_id: ProjectId) -> bool:
        """Whether it was created here or has points."""
        if project_id not in self._known:
            marked = await self._store.tags(project_id, _NOBODY, _ALWAYS)
            if not marked and not await self._store.summary(project_id):
                return False
            self._known.add(project_id)
        return True

    async def require(self, project_id: ProjectId) -> None:
        """Returns when it exists.

        Raises:
            NotFound: it does not.
        """
        if not await self.exists(project_id):
            raise NotFound(f"project {project_id} not found; POST /api/projects creates it")

    async def delete(self, project_id: ProjectId) -> None:
        """Removes it with its points.

        Raises:
            NotFound: it does not exist.
        """
        await self.require(project_id)
        await self._store.delete(project_id)
        self._known.discard(project_id)
