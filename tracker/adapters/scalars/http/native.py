"""What our own scalars service speaks beyond the contract: everything, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import numpy as np

from tracker import scalars_wire as wire
from tracker.adapters.scalars.http.group_send import GroupSend
from tracker.adapters.scalars.http.link import Link
from tracker.domain.errors import Unavailable
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.domain.scalars.series import (
    Fault,
    News,
    Ranking,
    SampledSeries,
    SampleQuery,
    Series,
    SeriesSummary,
    StoreStats,
    TimeWindow,
)

__all__ = ["NativeService"]

_T = TypeVar("_T")
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_READS_EVERYTHING = 3600.0


class NativeService:
    """A :class:`~tracker.ports.scalars.ScalarStore` behind ``/api/store``.

    Attributes:
        can_branch: whether the service says that it can; older ones cannot.
    """

    def __init__(self, link: Link) -> None:
        self.can_branch = False
        self._link = link
        self._senders: dict[ProjectId, GroupSend] = {}

    async def finish(self) -> None:
        """Returns when everything accepted was sent."""
        for sender in list(self._senders.values()):
            await sender.finish()

    async def append(self, project_id: ProjectId, batch: ScalarBatch) -> None:
        """See the port. May be sent again: the service knows the batch by its id."""
        sender = self._senders.get(project_id)
        if sender is None:
            sender = self._senders[project_id] = GroupSend(self._link, project_id)
        await sender.append(batch)

    async def read(
        self,
        project_id: ProjectId,
        experiment_id: ExperimentId,
        name: str,
        *,
        start: int | None = None,
        stop: int | None = None,
    ) -> Series:
        """See the port."""
        low = _LOWEST if start is None else start
        last = _HIGHEST if stop is None else stop - 1
        if low > last or low > _HIGHEST or last < _LOWEST:
            whole, real = np.empty(0, np.int64), np.empty(0, np.float64)
            return Series(experiment_id=experiment_id, name=name, step=whole, time=whole, value=real)
        body = {
            "experiment_id": experiment_id.bytes,
            "name": name,
            "first_step": low if low > _LOWEST else None,
            "last_step": last if last < _HIGHEST else None,
        }
        return await self._ask(project_id, "read", body, wire.series_from)

    async def sample(self, project_id: ProjectId, query: SampleQuery) -> tuple[SampledSeries, ...]:
        """See the port."""
        body = {
            "experiments": wire.packed_ids(query.experiments),
            "names": query.names,
            "max_points": query.max_points,
            "axis": query.axis,
            "steps": _inside(query.start, query.stop),
            "window": _window(query.window),
        }
        return await self._ask(project_id, "sample", body, _sampled)

    async def since(
        self,
        project_id: ProjectId,
        experiment_id: ExperimentId,
        cursor: str | None = None,
        *,
        names: Collection[str] | None = None,
    ) -> News:
        """See the port."""
        asked = None if names is None else list(names)
        body = {"experiment_id": experiment_id.bytes, "cursor": cursor, "names": asked}
        return await self._ask(project_id, "since", body, _news)

    async def summary(
        self,
        project_id: ProjectId,
        experiments: Collection[ExperimentId] | None = None,
        names: Collection[str] | None = None,
    ) -> tuple[SeriesSummary, ...]:
        """See the port."""
        body = {
            "experiments": None if experiments is None else wire.packed_ids(experiments),
            "names": None if names is None else list(names),
        }
        return await self._ask(project_id, "summary", body, wire.summaries_from)

    async def top(
        self,
        project_id: ProjectId,
        name: str,
        *,
        by: Ranking = Ranking.LAST,
        k: int = 10,
        descending: bool = True,
    ) -> tuple[SeriesSummary, ...]:
        """See the port."""
        body = {"name": name, "by": by, "k": min(max(k, 0), _HIGHEST), "descending": descending}
        return await self._ask(project_id, "top", body, wire.summaries_from)

    async def tags(
        self, project_id: ProjectId, experiment_id: ExperimentId, window: TimeWindow
    ) -> tuple[StepTags, ...]:
        """See the port."""
        body = {"experiment_id": experiment_id.bytes, "window": _window(window)}
        return await self._ask(project_id, "tags", body, lambda found: wire.tags_from(found["tags"]))

    async def branch(
        self, project_id: ProjectId, experiment_id: ExperimentId, *, step: int, into: ExperimentId
    ) -> None:
        """See the port. May be sent again: the service knows what it has done by `into`."""
        if not self.can_branch:
            raise Unavailable(
                f"the scalars service at {self._link.shown} is older than branches: update it, or resume"
                " without a step",
                retry_after=60.0,
            )
        body = {"experiment_id": experiment_id.bytes, "step": step, "into": into.bytes}
        await self._link.post(f"/store/{project_id}/branch", body, writes=True)

    async def delete(self, project_id: ProjectId, experiment_id: ExperimentId | None = None) -> None:
        """See the port."""
        body = {"experiment_id": None if experiment_id is None else experiment_id.bytes}
        await self._link.post(f"/store/{project_id}/delete", body, writes=True)

    async def settle(self, project_id: ProjectId, experiment_id: ExperimentId) -> None:
        """See the port."""
        body = {"experiment_id": experiment_id.bytes}
        await self._link.post(f"/store/{project_id}/settle", body, writes=True)

    async def stats(self, project_id: ProjectId) -> StoreStats:
        """See the port."""
        return await self._ask(project_id, "stats", {}, lambda found: StoreStats(**found))

    async def verify(self, project_id: ProjectId) -> tuple[Fault, ...]:
        """See the port."""
        found = await self._link.post(f"/store/{project_id}/verify", {}, seconds=_READS_EVERYTHING)
        with self._link.legible():
            return wire.faults_from(found["faults"])

    async def maintain(self, budget: float) -> None:
        """See the port."""
        await self._link.post("/store/maintain", {"budget": budget}, seconds=budget + _READS_EVERYTHING)

    async def check(self) -> None:
        """See the port."""
        await self._link.get("/store/check")

    async def _ask(
        self, project_id: ProjectId, question: str, body: object, parse: Callable[[Any], _T]
    ) -> _T:
        found = await self._link.post(f"/store/{project_id}/{question}", body)
        with self._link.legible():
            return parse(found)


def _sampled(found: Any) -> tuple[SampledSeries, ...]:
    return tuple(wire.sampled_from(each) for each in found["series"])


def _news(found: Any) -> News:
    return News(tuple(wire.series_from(each) for each in found["series"]), found["cursor"])


def _inside(start: int | None, stop: int | None) -> list[int | None]:
    """First and last step of a range; what no int64 lies beyond is left open."""
    low = None if start is None or start <= _LOWEST else start
    last = None if stop is None or stop > _HIGHEST else stop - 1
    return [low, last]


def _window(window: TimeWindow) -> list[int | None]:
    return [window.start, window.stop]
