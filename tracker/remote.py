"""The library's front door against a server: the areas over its HTTP API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from tracker.areas import AsyncTracker, Id, uuid_of, word_of
from tracker.domain.comparison.budget import BudgetComparison
from tracker.domain.comparison.compared import Comparison
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.graph import Graph
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.experiments.names import NameCheck
from tracker.domain.projects.project import Direction, MetricDefinition, Project, ProjectSettings
from tracker.domain.scalars.series import Axis
from tracker.domain.search.fields import FieldSummary
from tracker.domain.search.found import SearchPage
from tracker.domain.search.saved_query import SavedQuery
from tracker.remote_artifacts import Artifacts
from tracker.remote_client import Client
from tracker.remote_hypotheses import Hypotheses
from tracker.remote_identity import Audit, Permissions, Teams, Tokens, Users
from tracker.remote_metrics import Metrics
from tracker.remote_scalars import Scalars
from tracker.warning import warn_of
from tracker.wire import (
    body_of_experiment,
    body_of_project,
    body_of_run,
    experiment_from,
    graph_from,
    name_check_from,
    project_from,
)
from tracker.wire_comparison import budget_from, comparison_from
from tracker.wire_search import field_from, page_from, query_from

__all__ = ["connect"]


async def connect(url: str, token: str | None = None) -> AsyncTracker:
    """The library against the server at `url`; nothing is sent yet.

    Raises:
        Invalid: `url` is not the address of an HTTP server.
    """
    client = Client(url, token)
    return AsyncTracker(
        projects=Projects(client),
        experiments=Experiments(client),
        metrics=Metrics(client),
        queries=Queries(client),
        hypotheses=Hypotheses(client),
        scalars=Scalars(client),
        artifacts=Artifacts(client),
        users=Users(client),
        teams=Teams(client),
        tokens=Tokens(client),
        permissions=Permissions(client),
        audit=Audit(client),
        aclose=client.aclose,
    )


class Projects:
    """:class:`~tracker.areas.AsyncProjects` over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def list(self, *, name: str | None = None) -> tuple[Project, ...]:
        """All visible ones."""
        found = (project_from(each) for each in await self._client.get("/projects"))
        return tuple(project for project in found if name is None or project.name == name)

    async def get(self, project_id: Id) -> Project:
        """One by its id."""
        return project_from(await self._client.get(f"/projects/{uuid_of(project_id, 'project_id')}"))

    async def find(self, name: str) -> Project | None:
        """The oldest of this name."""
        return next(iter(await self.list(name=name)), None)

    async def create(
        self,
        name: str,
        *,
        description: str = "",
        metrics: Sequence[MetricDefinition] = (),
        settings: ProjectSettings | None = None,
        team_id: Id | None = None,
        exist_ok: bool = False,
    ) -> Project:
        """A new one, or with `exist_ok` the present one."""
        fields: dict[str, Any] = {"name": name, "description": description, "metrics": metrics}
        if settings is not None:
            fields["settings"] = settings
        if team_id is not None:
            fields["team_id"] = uuid_of(team_id, "team_id")
        if exist_ok:
            fields["exist_ok"] = True
        return project_from(await self._client.post("/projects", body_of_project(fields)))

    async def edit(self, /, project_id: Id, **changes: Any) -> Project:
        """One after changes."""
        if changes.get("team_id") is not None:
            changes["team_id"] = uuid_of(changes["team_id"], "team_id")
        path = f"/projects/{uuid_of(project_id, 'project_id')}"
        return project_from(await self._client.patch(path, body_of_project(changes)))

    async def fields(self, project_id: Id) -> tuple[FieldSummary, ...]:
        """What can be asked for."""
        found = await self._client.get(f"/projects/{uuid_of(project_id, 'project_id')}/fields")
        return tuple(map(field_from, found))

    async def check_name(self, project_id: Id, name: str) -> NameCheck:
        """A dry run."""
        path = f"/projects/{uuid_of(project_id, 'project_id')}/names/check"
        return name_check_from(await self._client.get(path, {"name": name}))

    async def transfer(self, project_id: Id, user_id: Id) -> Project:
        """One under another owner."""
        path = f"/projects/{uuid_of(project_id, 'project_id')}/transfer"
        return project_from(await self._client.post(path, {"userId": str(uuid_of(user_id, "user_id"))}))

    async def delete(self, project_id: Id) -> None:
        """Removes one."""
        await self._client.delete(f"/projects/{uuid_of(project_id, 'project_id')}")


class Experiments:
    """:class:`~tracker.areas.AsyncExperiments` over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def list(
        self, project_id: Id, *, status: Status | None = None, tag: str | None = None, name: str | None = None
    ) -> tuple[Experiment, ...]:
        """A project's."""
        path = f"/projects/{uuid_of(project_id, 'project_id')}/experiments"
        return tuple(
            one
            for one in map(experiment_from, await self._client.get(path))
            if (status is None or one.status == status)
            and (tag is None or tag in one.tags)
            and (name is None or one.name == name)
        )

    async def get(self, experiment_id: Id) -> Experiment:
        """One by its id."""
        return experiment_from(await self._client.get(_experiment(experiment_id)))

    async def recent(self, *, project_id: Id | None = None, limit: int = 10) -> tuple[Experiment, ...]:
        """The newest."""
        query: dict[str, Any] = {"limit": limit}
        if project_id is not None:
            query["projectId"] = str(uuid_of(project_id, "project_id"))
        return tuple(map(experiment_from, await self._client.get("/experiments/recent", query)))

    async def search(
        self,
        project_id: Id | Sequence[Id] | None = None,
        filter: str = "",
        order_by: str = "",
        limit: int = 100,
        *,
        cursor: str | None = None,
    ) -> SearchPage:
        """Those that are looked for."""
        query: dict[str, Any] = {"filter": filter, "orderBy": order_by, "limit": limit}
        if project_id is not None:
            chosen = [project_id] if isinstance(project_id, str | UUID) else project_id
            query["projectId"] = [str(uuid_of(each, "project_id")) for each in chosen]
        if cursor is not None:
            query["cursor"] = cursor
        return page_from(await self._client.get("/experiments/search", query))

    async def compare(self, ids: Sequence[Id], baseline: Id | None = None) -> Comparison:
        """Some side by side."""
        query: dict[str, Any] = {"ids": [str(uuid_of(each, "ids")) for each in ids]}
        if baseline is not None:
            query["baseline"] = str(uuid_of(baseline, "baseline"))
        return comparison_from(await self._client.get("/experiments/compare", query))

    async def compare_at(
        self,
        ids: Sequence[Id],
        scalar: str,
        *,
        axis: Axis | str = "step",
        at: float | None = None,
        direction: Direction | str | None = None,
    ) -> BudgetComparison:
        """Some at the same budget."""
        query: dict[str, Any] = {"ids": [str(uuid_of(each, "ids")) for each in ids], "name": scalar}
        query["axis"] = word_of(Axis, axis, "axis").value
        if at is not None:
            query["at"] = at
        if direction is not None:
            query["direction"] = word_of(Direction, direction, "direction").value
        return budget_from(await self._client.get("/experiments/compare/budget", query))

    async def create(self, /, project_id: Id, *, name: str, **fields: Any) -> Experiment:
        """A new one."""
        fields |= {"project_id": uuid_of(project_id, "project_id"), "name": name}
        found = await self._client.post("/experiments", body_of_experiment(fields))
        warn_of(found.get("warnings", ()))
        return experiment_from(found)

    async def create_many(
        self, project_id: Id, drafts: Sequence[Mapping[str, Any]]
    ) -> tuple[Experiment, ...]:
        """New ones."""
        body = {
            "projectId": str(uuid_of(project_id, "project_id")),
            "experiments": [body_of_run(draft) for draft in drafts],
        }
        found = await self._client.post("/experiments/bulk", body)
        warn_of(text for each in found for text in each.get("warnings", ()))
        return tuple(map(experiment_from, found))

    async def graph(self, project_id: Id) -> Graph:
        """What came from what."""
        path = f"/projects/{uuid_of(project_id, 'project_id')}/graph"
        return graph_from(await self._client.get(path))

    async def edit(self, /, experiment_id: Id, **changes: Any) -> Experiment:
        """One after changes."""
        path = _experiment(experiment_id)
        return experiment_from(await self._client.patch(path, body_of_experiment(changes)))

    async def beat(self, experiment_id: Id) -> None:
        """Says that its process lives."""
        await self._client.post(f"{_experiment(experiment_id)}/heartbeat", None)

    async def reorder(self, project_id: Id, experiment_ids: Sequence[Id]) -> tuple[Experiment, ...]:
        """All, after some were put first."""
        body = {
            "projectId": str(uuid_of(project_id, "project_id")),
            "experimentIds": [str(uuid_of(each, "experiment_ids")) for each in experiment_ids],
        }
        return tuple(map(experiment_from, await self._client.post("/experiments/reorder", body)))

    async def delete(self, experiment_id: Id) -> None:
        """Removes one."""
        await self._client.delete(_experiment(experiment_id))


class Queries:
    """:class:`~tracker.areas.AsyncQueries` over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def list(self, project_id: Id) -> tuple[SavedQuery, ...]:
        """A project's."""
        found = await self._client.get(f"/projects/{uuid_of(project_id, 'project_id')}/queries")
        return tuple(map(query_from, found))

    async def save(self, project_id: Id, name: str, filter: str = "", order_by: str = "") -> SavedQuery:
        """A new one."""
        path = f"/projects/{uuid_of(project_id, 'project_id')}/queries"
        body = {"name": name, "filter": filter, "orderBy": order_by}
        return query_from(await self._client.post(path, body))

    async def edit(self, /, query_id: Id, **changes: Any) -> SavedQuery:
        """One after changes."""
        path = f"/queries/{uuid_of(query_id, 'query_id')}"
        return query_from(await self._client.patch(path, body_of_project(changes)))

    async def delete(self, query_id: Id) -> None:
        """Removes one."""
        await self._client.delete(f"/queries/{uuid_of(query_id, 'query_id')}")


def _experiment(value: Id) -> str:
    return f"/experiments/{uuid_of(value, 'experiment_id')}"
