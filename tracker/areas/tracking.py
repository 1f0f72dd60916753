"""The areas of what is tracked: projects, experiments, metrics, scalars."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from tracker.areas.ids import Id
from tracker.domain.comparison.budget import BudgetComparison
from tracker.domain.comparison.compared import Comparison
from tracker.domain.comparison.importance import Importance, Method
from tracker.domain.comparison.matrix import Matrix
from tracker.domain.comparison.pareto import Front
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.graph import Graph
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.experiments.names import NameCheck
from tracker.domain.metrics.aggregation import ExperimentMetric
from tracker.domain.metrics.metric import Metric
from tracker.domain.projects.project import Direction, MetricDefinition, Project, ProjectSettings
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.domain.scalars.ranks import Over
from tracker.domain.scalars.record import ScalarRecord
from tracker.domain.scalars.series import Axis, Series, SeriesSummary
from tracker.domain.search.fields import FieldSummary
from tracker.domain.search.found import SearchPage
from tracker.domain.search.saved_query import SavedQuery

__all__ = ["AsyncExperiments", "AsyncMetrics", "AsyncProjects", "AsyncQueries", "AsyncScalars"]


class AsyncProjects(Protocol):
    """Projects."""

    async def list(self, *, name: str | None = None) -> tuple[Project, ...]:
        """All visible ones, or those with exactly this name, oldest first."""
        ...

    async def get(self, project_id: Id) -> Project:
        """The project with this id. Raises ``NotFound``."""
        ...

    async def find(self, name: str) -> Project | None:
        """The oldest project with exactly this name, or ``None``."""
        ...

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
        """A new project, in a team if one is named; with `exist_ok` the oldest of that name where there
        is one, free of races."""
        ...

    async def edit(self, /, project_id: Id, **changes: Any) -> Project:
        """The project after `changes` to name, description, metrics, settings or ``team_id``."""
        ...

    async def fields(self, project_id: Id) -> tuple[FieldSummary, ...]:
        """The metrics, parameters, feature leaves and tags of its experiments."""
        ...

    async def check_name(self, project_id: Id, name: str) -> NameCheck:
        """What creating an experiment of this name would do: its number, its parent, what is odd."""
        ...

    async def transfer(self, project_id: Id, user_id: Id) -> Project:
        """The project, owned by somebody else."""
        ...

    async def delete(self, project_id: Id) -> None:
        """Removes the project with everything in it."""
        ...


class AsyncExperiments(Protocol):
    """Experiments."""

    async def list(
        self, project_id: Id, *, status: Status | None = None, tag: str | None = None, name: str | None = None
    ) -> tuple[Experiment, ...]:
        """A project's experiments in their order, or those that fit all that is given."""
        ...

    async def get(self, experiment_id: Id) -> Experiment:
        """The experiment with this id. Raises ``NotFound``."""
        ...

    async def recent(self, *, project_id: Id | None = None, limit: int = 10) -> tuple[Experiment, ...]:
        """The newest ones, newest first."""
        ...

    async def search(
        self,
        project_id: Id | Sequence[Id] | None = None,
        filter: str = "",
        order_by: str = "",
        limit: int = 100,
        *,
        cursor: str | None = None,
    ) -> SearchPage:
        """Experiments of one, some or all projects for which `filter` holds, with their metrics.

        Such as ``search(project.id, "val.acc > 0.9 and params.lr < 0.01", "-val.acc")``; the page behind
        it comes by its ``next_cursor``. Raises ``QuerySyntax``, which tells the column.
        """
        ...

    async def compare(self, ids: Sequence[Id], baseline: Id | None = None) -> Comparison:
        """What differs between at most 100 experiments, by how much their metrics do, and of two whether
        it mattered, in words; against `baseline`, the first one's parent if it is among them, or the first.
        """
        ...

    async def compare_at(
        self,
        ids: Sequence[Id],
        scalar: str,
        *,
        axis: Axis | str = "step",
        at: float | None = None,
        direction: Direction | str | None = None,
    ) -> BudgetComparison:
        """Which experiment was ahead by a scalar after the same steps, or seconds (``axis="time"``); without
        `at` after the most that all came to."""
        ...

    async def create(self, /, project_id: Id, *, name: str, **fields: Any) -> Experiment:
        """A new experiment; `fields` are those of :class:`Experiment` that a person sets.

        ``{num}`` in its name becomes the project's next number. Without ``parent_id`` the parent is
        found from the name by the project's naming patterns; a name whose parent is not there is told
        by a :class:`TrackerWarning`. Where the project has an experiment with the given ``run_key``, a
        UUID, that one comes back as it is.
        """
        ...

    async def create_many(
        self, project_id: Id, drafts: Sequence[Mapping[str, Any]]
    ) -> tuple[Experiment, ...]:
        """New experiments, all or none; at most 1,000 at once.

        Args:
            project_id: to which project.
            drafts: the fields of :meth:`create` of each, ``name`` among them, and as ``metrics`` its
                final values: ``{"name": ..., "value": ...}``, perhaps with ``step`` and ``label``. A name
                may mean an earlier one as its parent.
        """
        ...

    async def graph(self, project_id: Id) -> Graph:
        """What came from what in a project, in one query however large it is."""
        ...

    async def edit(self, /, experiment_id: Id, **changes: Any) -> Experiment:
        """The experiment after `changes`; a new status must be one that the life cycle allows, no parent
        may descend from it, and once it has ended its parameters stay. With the status ``failed`` go
        ``end_kind`` and ``end_reason``."""
        ...

    async def beat(self, experiment_id: Id) -> None:
        """Says that the run's process lives. A run that did so once and then falls silent fails as lost,
        and runs again with its next beat."""
        ...

    async def reorder(self, project_id: Id, experiment_ids: Sequence[Id]) -> tuple[Experiment, ...]:
        """The project's experiments after those named were put first."""
        ...

    async def delete(self, experiment_id: Id) -> None:
        """Removes the experiment with its metrics and scalars; its children move to its parent."""
        ...


class AsyncQueries(Protocol):
    """Searches that are kept under a name."""

    async def list(self, project_id: Id) -> tuple[SavedQuery, ...]:
        """A project's, by name."""
        ...

    async def save(self, project_id: Id, name: str, filter: str = "", order_by: str = "") -> SavedQuery:
        """Keeps a new one. Raises ``AlreadyExists`` where the name is taken."""
        ...

    async def edit(self, /, query_id: Id, **changes: Any) -> SavedQuery:
        """One after `changes` to name, filter or order_by."""
        ...

    async def delete(self, query_id: Id) -> None:
        """Removes one."""
        ...


class AsyncMetrics(Protocol):
    """Final values."""

    async def list(self, experiment_id: Id) -> tuple[Metric, ...]:
        """All values of an experiment."""
        ...

    async def log(
        self, experiment_id: Id, name: str, value: float, *, step: int = 0, label: str | None = None
    ) -> Metric:
        """Keeps a value; the same name, label and step again replaces it."""
        ...

    async def table(self, project_id: Id) -> tuple[ExperimentMetric, ...]:
        """The value that counts for each experiment and tracked metric of a project."""
        ...

    async def matrix(
        self,
        project_id: Id,
        filter: str = "",
        order_by: str = "",
        limit: int = 100,
        *,
        cursor: str | None = None,
        baseline: Id | None = None,
    ) -> Matrix:
        """A page of a project's experiments by the metrics that it shows, the best marked, with improvements
        over each one's parent and over `baseline`."""
        ...

    async def pareto(
        self, project_id: Id, metrics: Sequence[str], *, minimize: Sequence[str] = (), filter: str = ""
    ) -> Front:
        """The experiments that no other one beats by all of two or more metrics at once.

        A metric gets better as the project says, and one that it does not track by growing, unless it is
        named in `minimize`.
        """
        ...

    async def importance(
        self, project_id: Id, metric: str, *, method: Method | str = "rank", filter: str = ""
    ) -> Importance:
        """The parameters of a project by how far they go with a metric; ``method="forest"`` takes the extra
        ``importance``."""
        ...


class AsyncScalars(Protocol):
    """Time series."""

    async def read(
        self, experiment_id: Id, name: str, *, x: str | None = None, ranks: Over | str | None = None
    ) -> Series:
        """A whole series: ``.step``, ``.time`` (microseconds UTC) and ``.value`` as numpy columns.

        Against a server a series of more than 20 million points comes thinned to that many.

        Args:
            experiment_id: whose.
            name: of the scalar.
            x: another scalar that is to be the x-axis; the answer then is a
                :class:`~tracker.domain.scalars.joining.SeriesOver`, whose ``.x`` says where each point
                stands: at the value of `x` at its step, else at the last step before it.
            ranks: ``mean``, ``min``, ``max`` or ``sum`` of the values that the ranks of a distributed job
                have at each step, which are the scalars ``NAME``, ``NAME@rank1`` and so on; see
                :func:`~tracker.domain.scalars.ranks.over_ranks`.

        Raises ``Invalid`` where there is no scalar `x`.
        """
        ...

    async def sample(
        self,
        project_id: Id,
        experiments: Sequence[Id] = (),
        *,
        names: Sequence[str] | None = None,
        max_points: int = 1000,
    ) -> tuple[Series, ...]:
        """Series thinned for a chart, no extreme missing; no `experiments` means all."""
        ...

    async def log(self, experiment_id: Id, records: Sequence[ScalarRecord]) -> None:
        """Keeps the values of some steps, all or none; durable when it returns."""
        ...

    async def append(self, batch: ScalarBatch) -> None:
        """Keeps a batch of columns. The same batch again changes nothing."""
        ...

    async def tags(self, experiment_id: Id) -> tuple[StepTags, ...]:
        """What was put on steps, by (step, arrival)."""
        ...

    async def summary(
        self,
        project_id: Id,
        experiments: Collection[Id] | None = None,
        names: Collection[str] | None = None,
    ) -> tuple[SeriesSummary, ...]:
        """One row for each series: count, extremes, last value."""
        ...
