"""The store: finds out what the service speaks, and asks it only while it answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping

from tracker.adapters.scalars.http.breaker import Breaker
from tracker.adapters.scalars.http.contract import ContractService
from tracker.adapters.scalars.http.link import Link, Patience
from tracker.adapters.scalars.http.native import NativeService
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
from tracker.scalars_wire import unpack

__all__ = ["HttpScalarStore"]

_log = logging.getLogger("tracker.scalars")

PROTOCOL, VERSION = "tracker-store", 1


class HttpScalarStore:
    """A :class:`~tracker.ports.scalars.ScalarStore` kept by a scalars service.

    Calls are tried again on connection errors, 429 and 5xx with growing, irregular waits, and
    ``Retry-After`` is honoured. An append may be tried again because the service knows its batch by
    the id. Every call has a deadline. When the service does not answer, all calls raise
    ``Unavailable`` at once until a probe of it succeeds.

    A service that speaks only the contract works too, less well; see
    :class:`~tracker.adapters.scalars.http.contract.ContractService` for what it cannot do.

    Args:
        url: the service's address, such as ``http://127.0.0.1:8001``; ``/api`` may stand behind it.
        key: the key that both share (``SCALARS_SERVICE_KEY``), if the service wants one.
        patience: limits of time.

    Raises:
        Invalid: `url` is no address of an HTTP server.
    """

    def __init__(self, url: str, *, key: str | None = None, patience: Patience | None = None) -> None:
        self._breaker = Breaker()
        self._link = Link(url, key, patience or Patience(), self._breaker)
        self._spoken: NativeService | ContractService | None = None
        self._first = asyncio.Lock()
        self._closed = False

    async def append(self, project_id: ProjectId, batch: ScalarBatch) -> None:
        """See the port."""
        await (await self._service()).append(project_id, batch)

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
        service = await self._service()
        return await service.read(project_id, experiment_id, name, start=start, stop=stop)

    async def sample(self, project_id: ProjectId, query: SampleQuery) -> tuple[SampledSeries, ...]:
        """See the port."""
        return await (await self._service()).sample(project_id, query)

    async def since(
        self,
        project_id: ProjectId,
        experiment_id: ExperimentId,
        cursor: str | None = None,
        *,
        names: Collection[str] | None = None,
    ) -> News:
        """See the port."""
        return await (await self._service()).since(project_id, experiment_id, cursor, names=names)

    async def summary(
        self,
        project_id: ProjectId,
        experiments: Collection[ExperimentId] | None = None,
        names: Collection[str] | None = None,
    ) -> tuple[SeriesSummary, ...]:
        """See the port."""
        return await (await self._service()).summary(project_id, experiments, names)

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
        return await (await self._service()).top(project_id, name, by=by, k=k, descending=descending)

    async def tags(
        self, project_id: ProjectId, experiment_id: ExperimentId, window: TimeWindow
    ) -> tuple[StepTags, ...]:
        """See the port."""
        return await (await self._service()).tags(project_id, experiment_id, window)

    async def branch(
        self, project_id: ProjectId, experiment_id: ExperimentId, *, step: int, into: ExperimentId
    ) -> None:
        """See the port; a service older than this refuses, as unavailable."""
        await (await self._service()).branch(project_id, experiment_id, step=step, into=into)

    async def delete(self, project_id: ProjectId, experiment_id: ExperimentId | None = None) -> None:
        """See the port."""
        await (await self._service()).delete(project_id, experiment_id)

    async def settle(self, project_id: ProjectId, experiment_id: ExperimentId) -> None:
        """See the port."""
        await (await self._service()).settle(project_id, experiment_id)

    async def stats(self, project_id: ProjectId) -> StoreStats:
        """See the port."""
        return await (await self._service()).stats(project_id)

    async def verify(self, project_id: ProjectId) -> tuple[Fault, ...]:
        """See the port."""
        return await (await self._service()).verify(project_id)

    async def maintain(self, budget: float) -> None:
        """See the port."""
        await (await self._service()).maintain(budget)

    async def check(self) -> None:
        """See the port."""
        await (await self._service()).check()

    async def close(self) -> None:
        """See the port; the service goes on."""
        self._closed = True
        if isinstance(self._spoken, NativeService):
            await self._spoken.finish()
        await self._link.aclose()

    async def _service(self) -> NativeService | ContractService:
        """What the service speaks, asked when that is unknown or after it was away.

        Raises:
            Unavailable: the store is closed, or the service does not answer.
        """
        if self._closed:
            raise Unavailable("the scalar store is closed")
        probes = self._breaker.admit()
        if self._spoken is not None and not probes:
            return self._spoken
        try:
            async with self._first:
                if self._spoken is None and not probes:
                    probes = self._breaker.admit()  # whoever was first may have found nobody
                if self._spoken is None or probes:
                    self._spoken = await self._asked()
        except asyncio.CancelledError:
            if probes:
                self._breaker.abandoned()
            raise
        return self._spoken

    async def _asked(self) -> NativeService | ContractService:
        try:
            answer = await self._link.probe("/store")
        except Unavailable:
            self._breaker.trip()
            raise
        if answer.status_code >= 500 or answer.status_code == 429:
            self._breaker.trip()
            raise Unavailable(f"the scalars service at {self._link.shown} answers {answer.status_code}")
        self._breaker.succeeded()
        if answer.status_code in (401, 403):
            raise Unavailable(f"the scalars service at {self._link.shown} refuses the key")
        # The one we know keeps what it remembers.
        told = _told(answer.status_code, answer.content)
        if (told.get("protocol"), told.get("version")) == (PROTOCOL, VERSION):
            spoken = self._spoken
            native = spoken if isinstance(spoken, NativeService) else NativeService(self._link)
            native.can_branch = told.get("branches") is True
            return native
        if self._spoken is None:
            _log.warning("the scalars service at %s speaks only the contract", self._link.shown)
        return self._spoken if isinstance(self._spoken, ContractService) else ContractService(self._link)


def _told(status: int, content: bytes) -> Mapping[str, object]:
    """What the service says that it speaks; nothing where it knows no such question."""
    try:
        told = unpack(content) if status == 200 else None
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
