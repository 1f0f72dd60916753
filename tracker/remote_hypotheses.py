"""The area of hypotheses against a server."""

from __future__ import annotations

from typing import Any

from tracker.areas import Id, uuid_of
from tracker.areas.hypotheses import hypothesis_fields, status_of
from tracker.domain.hypotheses.evidence import Evidence
from tracker.domain.hypotheses.hypothesis import Decision, HypothesisStatus
from tracker.domain.hypotheses.judged import JudgedHypothesis
from tracker.remote_client import Client
from tracker.wire_hypotheses import body_of_hypothesis, decision_from, evidence_from, judged_from

__all__ = ["Hypotheses"]


class Hypotheses:
    """:class:`~tracker.areas.hypotheses.AsyncHypotheses` over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def list(self, project_id: Id) -> tuple[JudgedHypothesis, ...]:
        """A project's."""
        path = f"/projects/{uuid_of(project_id, 'project_id')}/hypotheses"
        return tuple(map(judged_from, await self._client.get(path)))

    async def get(self, hypothesis_id: Id) -> JudgedHypothesis:
        """One by its id."""
        return judged_from(await self._client.get(_path(hypothesis_id)))

    async def recent(self, *, project_id: Id | None = None, limit: int = 10) -> tuple[JudgedHypothesis, ...]:
        """The newest."""
        query: dict[str, Any] = {"limit": limit}
        if project_id is not None:
            query["projectId"] = str(uuid_of(project_id, "project_id"))
        return tuple(map(judged_from, await self._client.get("/hypotheses/recent", query)))

    async def create(self, /, project_id: Id, *, title: str, **fields: Any) -> JudgedHypothesis:
        """A new one."""
        body = body_of_hypothesis({"title": title, **hypothesis_fields(fields)})
        body["projectId"] = str(uuid_of(project_id, "project_id"))
        return judged_from(await self._client.post("/hypotheses", body))

    async def edit(self, /, hypothesis_id: Id, **changes: Any) -> JudgedHypothesis:
        """One after changes."""
        body = body_of_hypothesis(hypothesis_fields(changes))
        return judged_from(await self._client.patch(_path(hypothesis_id), body))

    async def link(self, hypothesis_id: Id, experiment_id: Id) -> JudgedHypothesis:
        """One with a further experiment."""
        body = {"experimentId": str(uuid_of(experiment_id, "experiment_id"))}
        return judged_from(await self._client.post(f"{_path(hypothesis_id)}/experiments", body))

    async def unlink(self, hypothesis_id: Id, experiment_id: Id) -> JudgedHypothesis:
        """One without an experiment."""
        path = f"{_path(hypothesis_id)}/experiments/{uuid_of(experiment_id, 'experiment_id')}"
        return judged_from(await self._client.delete(path))

    async def link_query(self, hypothesis_id: Id, query_id: Id) -> JudgedHypothesis:
        """One with what a saved query finds."""
        body = {"queryId": str(uuid_of(query_id, "query_id"))}
        return judged_from(await self._client.post(f"{_path(hypothesis_id)}/queries", body))

    async def unlink_query(self, hypothesis_id: Id, query_id: Id) -> JudgedHypothesis:
        """One without what a saved query finds."""
        path = f"{_path(hypothesis_id)}/queries/{uuid_of(query_id, 'query_id')}"
        return judged_from(await self._client.delete(path))

    async def decide(
        self, hypothesis_id: Id, status: HypothesisStatus | str | None, reason: str
    ) -> JudgedHypothesis:
        """One whose status is decided."""
        body = {"status": None if status is None else status_of(status).value, "reason": reason}
        return judged_from(await self._client.post(f"{_path(hypothesis_id)}/decisions", body))

    async def decisions(self, hypothesis_id: Id) -> tuple[Decision, ...]:
        """All about one."""
        path, chosen = f"{_path(hypothesis_id)}/decisions", uuid_of(hypothesis_id, "hypothesis_id")
        return tuple(decision_from(each, chosen) for each in await self._client.get(path))

    async def evidence(self, hypothesis_id: Id) -> Evidence:
        """What experiments say of one."""
        return evidence_from(await self._client.get(f"{_path(hypothesis_id)}/evidence"))

    async def delete(self, hypothesis_id: Id) -> None:
        """Removes one."""
        await self._client.delete(_path(hypothesis_id))


def _path(value: Id) -> str:
    return f"/hypotheses/{uuid_of(value, 'hypothesis_id')}"
