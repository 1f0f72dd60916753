"""The area of time series in process."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tracker.areas import Id, uuid_of
from tracker.areas.reading import read_over
from tracker.domain.identity.actor import Actor
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.domain.scalars.ranks import Over
from tracker.domain.scalars.record import ScalarRecord
from tracker.domain.scalars.series import SampleQuery, Series, SeriesSummary
from tracker.domain.scalars.service import ScalarService

__all__ = ["Scalars"]


class Scalars:
    """:class:`~tracker.areas.AsyncScalars` in process."""

    def __init__(self, actor: Actor, service: ScalarService) -> None:
        self._actor = actor
        self._service = service

    async def read(
        self, experiment_id: Id, name: str, *, x: str | None = None, ranks: Over | str | None = None
    ) -> Series:
        """A whole series, or several as one."""
        chosen = _experiment(experiment_id)

        async def one(name: str) -> Series:
            return await self._service.read(self._actor, chosen, name)

        async def names() -> list[str]:
            return [row.name for row in await self._service.summary_of(self._actor, chosen)]

        return await read_over(one, names, name, x=x, ranks=ranks)

    async def sample(
        self,
        project_id: Id,
        experiments: Sequence[Id] = (),
        *,
        names: Sequence[str] | None = None,
        max_points: int = 1000,
    ) -> tuple[Series, ...]:
        """Thinned series."""
        query = SampleQuery(
            experiments=tuple(_experiment(each) for each in experiments),
            names=None if names is None else tuple(names),
            max_points=max_points,
        )
        return await self._service.sample(self._actor, _project(project_id), query)

    async def log(self, experiment_id: Id, records: Sequence[ScalarRecord]) -> None:
        """Keeps some steps."""
        await self._service.log(self._actor, _experiment(experiment_id), records)

    async def append(self, batch: ScalarBatch) -> None:
        """Keeps columns."""
        await self._service.append(self._actor, batch)

    async def tags(self, experiment_id: Id) -> tuple[StepTags, ...]:
        """What was put on steps."""
        return await self._service.tags(self._actor, _experiment(experiment_id))

    async def summary(
        self,
        project_id: Id,
        experiments: Collection[Id] | None = None,
        names: Collection[str] | None = None,
    ) -> tuple[SeriesSummary, ...]:
        """A row each."""
        chosen = None if experiments is None else [_experiment(each) for each in experiments]
        return await self._service.summary(self._actor, _project(project_id), chosen, names)


def _project(value: Id) -> ProjectId:
    return ProjectId(uuid_of(value, "project_id"))


def _experiment(value: Id) -> ExperimentId:
    return ExperimentId(uuid_of(value, "experiment_id"))
