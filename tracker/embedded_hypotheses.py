"""The area of hypotheses in process."""

from __future__ import annotations

from typing import Any

from tracker.areas import Id, uuid_of
from tracker.areas.hypotheses import hypothesis_fields, status_of
from tracker.domain.hypotheses.evidence import Evidence
from tracker.domain.hypotheses.hypothesis import Decision, HypothesisStatus
from tracker.domain.hypotheses.judged import JudgedHypothesis
from tracker.domain.hypotheses.links.service import LinkService
from tracker.domain.hypotheses.service import HypothesisService
from tracker.domain.identity.actor import Actor
from tracker.domain.ids import ExperimentId, HypothesisId, ProjectId, SavedQueryId

__all__ = ["Hypotheses"]


class Hypotheses:
    """:class:`~tracker.areas.hypotheses.AsyncHypotheses` in process."""

    def __init__(self, actor: Actor, service: HypothesisService, links: LinkService) -> None:
        self._actor = actor
        self._service = service
        self._links = links

    async def list(self, project_id: Id) -> tuple[JudgedHypothesis, ...]:
        """A project's."""
        return await self._service.list(self._actor, _project(project_id))

    async def get(self, hypothesis_id: Id) -> JudgedHypothesis:
        """One by its id."""
        return await self._service.get(self._actor, _hypothesis(hypothesis_id))

    async def recent(self, *, project_id: Id | None = None, limit: int = 10) -> tuple[JudgedHypothesis, ...]:
        """The newest."""
        chosen = None if project_id is None else _project(project_id)
        return await self._service.recent(self._actor, project_id=chosen, limit=limit)

    async def create(self, /, project_id: Id, *, title: str, **fields: Any) -> JudgedHypothesis:
        """A new one."""
        chosen = _project(project_id)
        return await self._service.create(self._actor, chosen, title=title, **hypothesis_fields(fields))

    async def edit(self, /, hypothesis_id: Id, **changes: Any) -> JudgedHypothesis:
        """One after changes."""
        chosen = _hypothesis(hypothesis_id)
        return await self._service.edit(self._actor, chosen, **hypothesis_fields(changes))

    async def link(self, hypothesis_id: Id, experiment_id: Id) -> JudgedHypothesis:
        """One with a further experiment."""
        ids = [_experiment(experiment_id)]
        return await self._links.link(self._actor, _hypothesis(hypothesis_id), ids)

    async def unlink(self, hypothesis_id: Id, experiment_id: Id) -> JudgedHypothesis:
        """One without an experiment."""
        chosen = _experiment(experiment_id)
        return await self._links.unlink(self._actor, _hypothesis(hypothesis_id), chosen)

    async def link_query(self, hypothesis_id: Id, query_id: Id) -> JudgedHypothesis:
        """One with what a saved query finds."""
        chosen = SavedQueryId(uuid_of(query_id, "query_id"))
        return await self._links.link_query(self._actor, _hypothesis(hypothesis_id), chosen)

    async def unlink_query(self, hypothesis_id: Id, query_id: Id) -> JudgedHypothesis:
        """One without what a saved query finds."""
        chosen = SavedQueryId(uuid_of(query_id, "query_id"))
        return await self._links.unlink_query(self._actor, _hypothesis(hypothesis_id), chosen)

    async def decide(
        self, hypothesis_id: Id, status: HypothesisStatus | str | None, reason: str
    ) -> JudgedHypothesis:
        """One whose status is decided."""
        wanted = None if status is None else status_of(status)
        return await self._service.decide(self._actor, _hypothesis(hypothesis_id), wanted, reason)

    async def decisions(self, hypothesis_id: Id) -> tuple[Decision, ...]:
        """All about one."""
        return await self._service.decisions(self._actor, _hypothesis(hypothesis_id))

    async def evidence(self, hypothesis_id: Id) -> Evidence:
        """What experiments say of one."""
        return await self._service.evidence(self._actor, _hypothesis(hypothesis_id))

    async def delete(self, hypothesis_id: Id) -> None:
        """Removes one."""
        await self._service.delete(self._actor, _hypothesis(hypothesis_id))


def _project(value: Id) -> ProjectId:
    return ProjectId(uuid_of(value, "project_id"))


def _experiment(value: Id) -> ExperimentId:
    return ExperimentId(uuid_of(value, "experiment_id"))


def _hypothesis(value: Id) -> HypothesisId:
    return HypothesisId(uuid_of(value, "hypothesis_id"))
