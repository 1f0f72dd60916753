"""A project and the metrics it is judged by."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from tracker.domain.errors import Invalid
from tracker.domain.frozen import Frozen
from tracker.domain.identity.policy import ProjectScope
from tracker.domain.ids import ProjectId, TeamId, UserId
from tracker.domain.projects.naming import DEFAULT_PATTERN, check_pattern
from tracker.domain.text import Label, MetricName, Name, storable

__all__ = ["Aggregation", "Direction", "MetricDefinition", "Project", "ProjectCounts", "ProjectSettings"]


class Direction(StrEnum):
    """Which way a metric gets better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


class Aggregation(StrEnum):
    """How the values of a metric become the one that an experiment is judged by."""

    LAST = "last"
    BEST = "best"
    AVERAGE = "average"


class MetricDefinition(Frozen):
    """A metric that a project tracks.

    Attributes:
        name: as it is logged.
        direction: which way is better.
        aggregation: last by step, best by direction, or the mean.
        label: only values logged under this label count; ``None`` takes those without one.
    """

    name: MetricName
    direction: Direction = Direction.MAXIMIZE
    aggregation: Aggregation = Aggregation.LAST
    label: Label | None = None


def _readable_pattern(pattern: str) -> str:
    try:
        return check_pattern(storable(pattern))
    except Invalid as error:
        raise PydanticCustomError("naming_pattern", "{why}", {"why": error.problems[0].msg}) from error


NamingPattern = Annotated[str, StringConstraints(max_length=200), AfterValidator(_readable_pattern)]
ParamName = MetricName


class ProjectSettings(Frozen):
    """What a project's members agreed on.

    Attributes:
        naming_patterns: how experiments are named; the first that matches a name counts. Empty = names
            are free.
        display_metrics: the metrics that tables show, in this order.
        replicate_keys: parameters in which runs may differ and still be replicates of one another.
    """

    naming_patterns: Annotated[tuple[NamingPattern, ...], Field(max_length=20)] = (DEFAULT_PATTERN,)
    display_metrics: tuple[MetricName, ...] = ()
    replicate_keys: Annotated[tuple[ParamName, ...], Field(max_length=100)] = ("seed",)

    @property
    def naming_pattern(self) -> str:
        """The first pattern; empty when there is none."""
        return next(iter(self.naming_patterns), "")


class Project(Frozen):
    """What belongs together: experiments of one question, judged by the same metrics."""

    id: ProjectId
    name: Name
    description: Annotated[str, StringConstraints(max_length=500), AfterValidator(storable)] = ""
    owner_id: UserId
    team_id: TeamId | None = None
    metrics: tuple[MetricDefinition, ...] = ()
    settings: ProjectSettings = ProjectSettings()
    created_at: AwareDatetime
    version: int = 0

    @model_validator(mode="after")
    def _metrics_are_told_apart(self) -> Self:
        keys = [(metric.name, metric.label) for metric in self.metrics]
        if len(set(keys)) != len(keys):
            raise PydanticCustomError("metrics_unique", "metrics: the same name and label stand twice")
        return self

    @property
    def scope(self) -> ProjectScope:
        """What the policy needs to know of this project."""
        return ProjectScope(project_id=self.id, owner_id=self.owner_id, team_id=self.team_id)


class ProjectCounts(Frozen):
    """How much a project holds: experiments, of which so many have a status, and hypotheses."""

    experiments: int = 0
    running: int = 0
    completed: int = 0
    failed: int = 0
    hypotheses: int = 0
