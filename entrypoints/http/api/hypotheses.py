"""Hypotheses."""

from __future__ import annotations

from typing import Any

from tracker.domain.hypotheses.links.service import LinkService
from tracker.domain.hypotheses.service import HypothesisService
from tracker.domain.ids import ExperimentId, HypothesisId, ProjectId, SavedQueryId

from ..exchange import Call
from ..schemas.answers import DeletedOut, NoQuery
from ..schemas.evidence import EvidenceOut, evidence_out
from ..schemas.experiments import RecentQuery
from ..schemas.hypotheses import (
    DecisionIn,
    DecisionOut,
    HypothesisCreate,
    HypothesisEdit,
    HypothesisLink,
    HypothesisOut,
    HypothesisQueryLink,
    decision_out,
    hypothesis_out,
)

__all__ = ["Hypotheses"]


class Hypotheses:
    """``/api/hypotheses``."""

    def __init__(self, hypotheses: HypothesisService, links: LinkService) -> None:
        self._hypotheses = hypotheses
        self._links = links

    async def create(self, call: Call[HypothesisCreate, NoQuery]) -> HypothesisOut:
        """A new one."""
        fields = call.body.changes()
        project_id = ProjectId(fields.pop("project_id"))
        return hypothesis_out(await self._hypotheses.create(call.actor, project_id, **fields))

    async def recent(self, call: Call[None, RecentQuery]) -> list[HypothesisOut]:
        """The newest."""
        project_id = None if call.query.projectId is None else ProjectId(call.query.projectId)
        found = await self._hypotheses.recent(call.actor, project_id=project_id, limit=call.query.limit)
        return [hypothesis_out(each) for each in found]

    async def show(self, call: Call[None, NoQuery]) -> HypothesisOut:
        """One."""
        return hypothesis_out(await self._hypotheses.get(call.actor, _id(call)))

    async def edit(self, call: Call[HypothesisEdit, NoQuery]) -> HypothesisOut:
        """One after changes."""
        return hypothesis_out(await self._hypotheses.edit(call.actor, _id(call), **call.body.changes()))

    async def delete(self, call: Call[None, NoQuery]) -> DeletedOut:
        """Removes one."""
        await self._hypotheses.delete(call.actor, _id(call))
        return {"success": True}

    async def evidence(self, call: Call[None, NoQuery]) -> EvidenceOut:
        """The verdict and every number it rests on."""
        return evidence_out(await self._hypotheses.evidence(call.actor, _id(call)))

    async def link(self, call: Call[HypothesisLink, NoQuery]) -> HypothesisOut:
        """One with a further experiment."""
        ids = [ExperimentId(call.body.experiment_id)]
        return hypothesis_out(await self._links.link(call.actor, _id(call), ids))

    async def unlink(self, call: Call[None, NoQuery]) -> HypothesisOut:
        """One without an experiment."""
        experiment_id = ExperimentId(call.path["experiment_id"])
        return hypothesis_out(await self._links.unlink(call.actor, _id(call), experiment_id))

    async def link_query(self, call: Call[HypothesisQueryLink, NoQuery]) -> HypothesisOut:
        """One with the experiments of a further saved query."""
        query_id = SavedQueryId(call.body.query_id)
        return hypothesis_out(await self._links.link_query(call.actor, _id(call), query_id))

    async def unlink_query(self, call: Call[None, NoQuery]) -> HypothesisOut:
        """One without the experiments of a saved query."""
        query_id = SavedQueryId(call.path["query_id"])
        return hypothesis_out(await self._links.unlink_query(call.actor, _id(call), query_id))

    async def decide(self, call: Call[DecisionIn, NoQuery]) -> HypothesisOut:
        """One whose status is decided, or computed again."""
        body = call.body
        decided = await self._hypotheses.decide(call.actor, _id(call), body.status, body.reason)
        return hypothesis_out(decided)

    async def decisions(self, call: Call[None, NoQuery]) -> list[DecisionOut]:
        """All that was decided about one."""
        return [decision_out(each) for each in await self._hypotheses.decisions(call.actor, _id(call))]


def _id(call: Call[Any, NoQuery]) -> HypothesisId:
    return HypothesisId(call.path["hypothesis_id"])
