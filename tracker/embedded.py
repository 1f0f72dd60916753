"""The library's front door in process: the areas over the services of a container."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from tracker.areas import AsyncTracker, Id, uuid_of, word_of
from tracker.container import Container, build, start, stop
from tracker.domain.comparison.budget import BudgetComparison
from tracker.domain.comparison.budgets.service import BudgetService
from tracker.domain.comparison.compared import Comparison
from tracker.domain.comparison.service import ComparisonService
from tracker.domain.experiments.branch import Branch
from tracker.domain.experiments.ending import EndKind
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.graph import Graph
from tracker.domain.experiments.heartbeats.service import HeartbeatService
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.experiments.names import NameCheck
from tracker.domain.experiments.service import ExperimentService
from tracker.domain.identity.actor import Actor, local_actor
from tracker.domain.ids import ExperimentId, ProjectId, SavedQueryId, TeamId, UserId
from tracker.domain.metrics.runs.service import RunService
from tracker.domain.projects.ownership.service import OwnershipService
from tracker.domain.projects.project import Direction, MetricDefinition, Project, ProjectSettings
from tracker.domain.projects.service import ProjectService
from tracker.domain.scalars.branches.service import BranchService
from tracker.domain.scalars.series import Axis
from tracker.domain.search.fields import FieldSummary
from tracker.domain.search.found import SearchPage
from tracker.domain.search.saved_query import SavedQuery
from tracker.domain.search.service import SearchService
from tracker.embedded_artifacts import Artifacts
from tracker.embedded_hypotheses import Hypotheses
from tracker.embedded_identity import Audit, Permissions, Teams, Tokens, Users
from tracker.embedded_metrics import Metrics
from tracker.embedded_scalars import Scalars
from tracker.journal.recovery import Recovered, recover, tell
from tracker.settings import Settings
from tracker.warning import warn_of

__all__ = ["connect", "over"]


async def connect(
    settings: Settings, origin: str = "library", *, told: Callable[[Recovered], object] = tell
) -> AsyncTracker:
    """Opens the installation that `settings` describe.

    What runs there left behind is carried into it first, and those whose process is gone have failed.

    Args:
        settings: the installation.
        origin: from where, for the audit log: ``library`` or ``shell``.
        told: hears of each journal that was carried.

    Raises:
        SchemaMismatch: its database is older or newer than this version of tracker.
        Unavailable: its database does not answer.
    """
    container = build(settings)
    try:
        await start(container)
        library = over(container, origin)
        for each in await recover(library, settings.data):
            told(each)
    except BaseException:
        await stop(container)
        raise
    return library


def over(container: Container, origin: str = "library") -> AsyncTracker:
    """The library over a started container, which it stops when it is closed.

    Args:
        container: started.
        origin: from where, for the audit log.
    """
    actor = local_actor(origin)

    async def close() -> None:
        await stop(container)

    return AsyncTracker(
        projects=Projects(
            actor, container.projects(), container.ownership(), container.experiments(), container.search()
        ),
        experiments=Experiments(
            actor,
            container.experiments(),
            container.runs(),
            container.search(),
            heartbeats=container.heartbeats(),
            branches=container.branches(),
            comparisons=container.comparisons(),
            budgets=container.budgets(),
        ),
        metrics=Metrics(actor, container.metrics(), container.comparisons(), container.importances()),
        queries=Queries(actor, container.search()),
        hypotheses=Hypotheses(actor, container.hypotheses(), container.hypothesis_links()),
        scalars=Scalars(actor, container.scalars()),
        artifacts=Artifacts(actor, container.artifacts(), container.blobs(), container.snapshots()),
        users=Users(actor, container.accounts(), container.ownership()),
        teams=Teams(actor, container.teams()),
        tokens=Tokens(actor, container.api_tokens()),
        permissions=Permissions(actor, container.permissions()),
        audit=Audit(actor, container.audit()),
        aclose=close,
    )


def _project(value: Id) -> ProjectId:
    return ProjectId(uuid_of(value, "project_id"))


def _projects(value: Id | Sequence[Id] | None) -> list[ProjectId] | None:
    if value is None:
        return None
    return [_project(value)] if isinstance(value, str | UUID) else [_project(each) for each in value]


def _query(value: Id) -> SavedQueryId:
    return SavedQueryId(uuid_of(value, "query_id"))


def _team(value: Id) -> TeamId:
    return TeamId(uuid_of(value, "team_id"))


def _experiment(value: Id) -> ExperimentId:
    return ExperimentId(uuid_of(value, "experiment_id"))


def _some(ids: Sequence[Id]) -> list[ExperimentId]:
    return [ExperimentId(uuid_of(each, "ids")) for each in ids]


def _fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of an experiment with what scripts naturally write in place of the domain's types."""
    if isinstance(fields.get("parent_id"), str):
        fields["parent_id"] = uuid_of(fields["parent_id"], "parent_id")
    if isinstance(fields.get("run_key"), str):
        fields["run_key"] = uuid_of(fields["run_key"], "run_key")
    if isinstance(fields.get("merged_from"), list | tuple):
        fields["merged_from"] = tuple(uuid_of(each, "merged_from") for each in fields["merged_from"])
    if isinstance(fields.get("tags"), list):
        fields["tags"] = tuple(fields["tags"])
    if isinstance(fields.get("status"), str):
        fields["status"] = word_of(Status, fields["status"], "status")
    if isinstance(fields.get("end_kind"), str):
        fields["end_kind"] = word_of(EndKind, fields["end_kind"], "end_kind")
    return fields


class Projects:
    """:class:`~tracker.areas.AsyncProjects` in process."""

    def __init__(
        self,
        actor: Actor,
        service: ProjectService,
        ownership: OwnershipService,
        experiments: ExperimentService,
        searches: SearchService,
    ) -> None:
        self._actor = actor
        self._service = service
        self._ownership = ownership
        self._experiments = experiments
        self._searches = searches

    async def list(self, *, name: str | None = None) -> tuple[Project, ...]:
        """All visible ones."""
        return await self._service.list(self._actor, name=name)

    async def get(self, project_id: Id) -> Project:
        """One by its id."""
        return await self._service.get(self._actor, _project(project_id))

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
        return await self._service.create(
            self._actor,
            name=name,
            description=description,
            metrics=tuple(metrics),
            settings=settings or ProjectSettings(),
            team_id=None if team_id is None else _team(team_id),
            exist_ok=exist_ok,
        )

    async def edit(self, /, project_id: Id, **changes: Any) -> Project:
        """One after changes."""
        if isinstance(changes.get("metrics"), Sequence):
            changes["metrics"] = tuple(changes["metrics"])
        if changes.get("team_id") is not None:
            changes["team_id"] = _team(changes["team_id"])
        return await self._service.edit(self._actor, _project(project_id), **changes)

    async def fields(self, project_id: Id) -> tuple[FieldSummary, ...]:
        """What can be asked for."""
        return await self._searches.fields(self._actor, _project(project_id))

    async def check_name(self, project_id: Id, name: str) -> NameCheck:
        """A dry run."""
        return await self._experiments.check_name(self._actor, _project(project_id), name)

    async def transfer(self, project_id: Id, user_id: Id) -> Project:
        """One under another owner."""
        heir = UserId(uuid_of(user_id, "user_id"))
        return await self._ownership.transfer(self._actor, _project(project_id), heir)

    async def delete(self, project_id: Id) -> None:
        """Removes one."""
        await self._service.delete(self._actor, _project(project_id))


class Experiments:
    """:class:`~tracker.areas.AsyncExperiments` in process."""

    def __init__(
        self,
        actor: Actor,
        service: ExperimentService,
        runs: RunService,
        searches: SearchService,
        *,
        heartbeats: HeartbeatService,
        branches: BranchService,
        comparisons: ComparisonService,
        budgets: BudgetService,
    ) -> None:
        self._actor = actor
        self._service = service
        self._runs = runs
        self._searches = searches
        self._heartbeats = heartbeats
        self._branches = branches
        self._comparisons = comparisons
        self._budgets = budgets

    async def list(
        self, project_id: Id, *, status: Status | None = None, tag: str | None = None, name: str | None = None
    ) -> tuple[Experiment, ...]:
        """A project's."""
        wanted = None if status is None else word_of(Status, status, "status")
        return await self._service.list(self._actor, _project(project_id), status=wanted, tag=tag, name=name)

    async def get(self, experiment_id: Id) -> Experiment:
        """One by its id."""
        return await self._service.get(self._actor, _experiment(experiment_id))

    async def recent(self, *, project_id: Id | None = None, limit: int = 10) -> tuple[Experiment, ...]:
        """The newest."""
        chosen = None if project_id is None else _project(project_id)
        return await self._service.recent(self._actor, project_id=chosen, limit=limit)

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
        wanted = {"filter": filter, "order_by": order_by, "limit": limit, "cursor": cursor}
        return await self._searches.search(self._actor, _projects(project_id), **wanted)  # type: ignore[arg-type]

    async def compare(self, ids: Sequence[Id], baseline: Id | None = None) -> Comparison:
        """Some side by side."""
        base = None if baseline is None else ExperimentId(uuid_of(baseline, "baseline"))
        return await self._comparisons.compare(self._actor, _some(ids), base)

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
        way = None if direction is None else word_of(Direction, direction, "direction")
        along = word_of(Axis, axis, "axis")
        return await self._budgets.compare(self._actor, _some(ids), scalar, axis=along, at=at, direction=way)

    async def create(self, /, project_id: Id, *, name: str, **fields: Any) -> Experiment:
        """A new one."""
        told: list[str] = []
        made = await self._service.create(
            self._actor,
            _project(project_id),
            name=name,
            warn=lambda _, text: told.append(text),
            **_fields(fields),
        )
        warn_of(told)
        return made

    async def create_many(
        self, project_id: Id, drafts: Sequence[Mapping[str, Any]]
    ) -> tuple[Experiment, ...]:
        """New ones."""
        told: list[str] = []
        fields = [_fields(dict(draft)) for draft in drafts]
        made = await self._runs.create_many(
            self._actor, _project(project_id), fields, warn=lambda _, text: told.append(text)
        )
        warn_of(told)
        return made

    async def graph(self, project_id: Id) -> Graph:
        """What came from what."""
        return await self._service.graph(self._actor, _project(project_id))

    async def edit(self, /, experiment_id: Id, **changes: Any) -> Experiment:
        """One after changes."""
        return await self._service.edit(self._actor, _experiment(experiment_id), **_fields(changes))

    async def resume(self, experiment_id: Id, *, step: int | None = None) -> Experiment:
        """One that runs again."""
        return await self._branches.resume(self._actor, _experiment(experiment_id), step=step)

    async def branches(self, experiment_id: Id) -> tuple[Branch, ...]:
        """What it left behind."""
        return await self._branches.list(self._actor, _experiment(experiment_id))

    async def beat(self, experiment_id: Id) -> None:
        """Says that its process lives."""
        await self._heartbeats.beat(self._actor, _experiment(experiment_id))

    async def reorder(self, project_id: Id, experiment_ids: Sequence[Id]) -> tuple[Experiment, ...]:
        """All, after some were put first."""
        first = [_experiment(each) for each in experiment_ids]
        return await self._service.reorder(self._actor, _project(project_id), first)

    async def delete(self, experiment_id: Id) -> None:
        """Removes one."""
        await self._service.delete(self._actor, _experiment(experiment_id))


class Queries:
    """:class:`~tracker.areas.AsyncQueries` in process."""

    def __init__(self, actor: Actor, service: SearchService) -> None:
        self._actor = actor
        self._service = service

    async def list(self, project_id: Id) -> tuple[SavedQuery, ...]:
        """A project's."""
        return await self._service.queries(self._actor, _project(project_id))

    async def save(self, project_id: Id, name: str, filter: str = "", order_by: str = "") -> SavedQuery:
        """A new one."""
        fields = {"name": name, "filter": filter, "order_by": order_by}
        return await self._service.save_query(self._actor, _project(project_id), **fields)

    async def edit(self, /, query_id: Id, **changes: Any) -> SavedQuery:
        """One after changes."""
        return await self._service.edit_query(self._actor, _query(query_id), **changes)

    async def delete(self, query_id: Id) -> None:
        """Removes one."""
        await self._service.delete_query(self._actor, _query(query_id))
