"""Projects on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from tracker.domain.errors import Invalid
from tracker.domain.hypotheses.hypothesis import HypothesisStatus
from tracker.domain.identity.accounts.user import User
from tracker.domain.projects.naming import DEFAULT_PATTERN, check_pattern
from tracker.domain.projects.project import Aggregation, Direction, MetricDefinition, Project, ProjectSettings
from tracker.domain.projects.service import ProjectDetail

from .wire import KEPT, NO_NUL, CamelBody, Json, LabelText, MetricNameText, NameText, absent

__all__ = [
    "MetricDefinitionIn",
    "OwnerOut",
    "ProjectCreate",
    "ProjectEdit",
    "ProjectOut",
    "StatsOut",
    "owner_out",
    "project_out",
    "stats_out",
]


class MetricDefinitionIn(CamelBody):
    """A metric that the project tracks."""

    name: MetricNameText
    direction: Direction = Direction.MAXIMIZE
    aggregation: Aggregation = Aggregation.LAST
    label: LabelText | None = None

    def definition(self) -> MetricDefinition:
        """The domain's value."""
        return MetricDefinition(
            name=self.name, direction=self.direction, aggregation=self.aggregation, label=self.label
        )


NamingPattern = Annotated[
    str,
    Field(strict=True, max_length=200, json_schema_extra={**NO_NUL, "format": "naming-pattern"}),
    KEPT,
]
OnePattern = Annotated[
    str,
    Field(
        strict=True,
        min_length=1,
        max_length=200,
        json_schema_extra={**NO_NUL, "format": "naming-pattern-of-several"},
    ),
    KEPT,
]
NamingPatterns = Annotated[
    list[OnePattern],
    Field(max_length=20, description="The first that matches a name counts; empty = names are free"),
]


class ProjectSettingsIn(CamelBody):
    """How a project's experiments are named and shown, and which of them repeat one another."""

    naming_pattern: NamingPattern = absent(
        description="The first of the patterns, or empty for none; `namingPatterns` says more"
    )
    naming_patterns: NamingPatterns = absent()
    display_metrics: Annotated[list[MetricNameText], Field(max_length=1000)] = Field(default=[])
    replicate_keys: Annotated[list[MetricNameText], Field(max_length=100)] = Field(
        default=["seed"], description="Parameters in which replicates may differ"
    )

    def settings(self) -> ProjectSettings:
        """The domain's value.

        Raises:
            Invalid: a pattern cannot be read, or the one is not the first of the many.
        """
        return ProjectSettings(
            naming_patterns=self._patterns(),
            display_metrics=tuple(self.display_metrics),
            replicate_keys=tuple(self.replicate_keys),
        )

    def _patterns(self) -> tuple[str, ...]:
        given = self.model_fields_set
        if "naming_patterns" not in given:
            one = self.naming_pattern if "naming_pattern" in given else DEFAULT_PATTERN
            try:
                return (check_pattern(one),) if one else ()
            except Invalid as error:  # the field that was given is the one to name
                raise Invalid.field("naming_pattern", error.problems[0].msg) from error
        many = tuple(self.naming_patterns)
        if "naming_pattern" in given and self.naming_pattern != next(iter(many), ""):
            raise Invalid.field(
                "naming_pattern", "is not the first of namingPatterns; give one of the two fields"
            )
        return many


ProjectDescription = Annotated[str, Field(strict=True, max_length=500, json_schema_extra=NO_NUL), KEPT]
MetricsIn = Annotated[list[MetricDefinitionIn], Field(max_length=1000, description="(name, label) is unique")]


class ProjectEdit(CamelBody):
    """Changes to a project; what is left out stays."""

    name: NameText = absent()
    description: ProjectDescription = absent()
    metrics: MetricsIn = absent()
    settings: ProjectSettingsIn = absent()
    team_id: UUID | None = Field(default=None, description="The team that shares it; null = none")

    def changes(self) -> Json:
        """The fields that the request had, as the domain has them."""
        changes = self.given()
        if "metrics" in changes:
            changes["metrics"] = tuple(metric.definition() for metric in self.metrics)
        if "settings" in changes:
            changes["settings"] = self.settings.settings()
        return changes


class ProjectCreate(ProjectEdit):
    """A new project."""

    name: NameText
    exist_ok: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Answer with the oldest project of that name, where there is one"
    )


class OwnerOut(TypedDict):
    """Whose it is."""

    id: UUID
    email: str
    displayName: str


class TeamOut(TypedDict):
    """The team that shares it."""

    id: UUID
    name: str


class MetricDefinitionOut(TypedDict):
    """A tracked metric."""

    name: str
    direction: Direction
    aggregation: Aggregation
    label: str | None


class ProjectSettingsOut(TypedDict):
    """How experiments are named and shown."""

    namingPattern: str
    namingPatterns: Sequence[str]
    displayMetrics: Sequence[str]
    replicateKeys: Sequence[str]


class ProjectOut(TypedDict):
    """A project."""

    id: UUID
    name: str
    description: str
    owner: OwnerOut
    team: TeamOut | None
    createdAt: datetime
    experimentCount: int
    hypothesisCount: int
    metrics: list[MetricDefinitionOut]
    settings: ProjectSettingsOut


class StatsOut(TypedDict):
    """The numbers of a project's dashboard."""

    totalExperiments: int
    runningExperiments: int
    completedExperiments: int
    failedExperiments: int
    totalHypotheses: int
    supportedHypotheses: int
    refutedHypotheses: int


def owner_out(user: User) -> OwnerOut:
    """Somebody as others see them."""
    return {"id": user.id, "email": user.email, "displayName": user.display_name}


def project_out(detail: ProjectDetail) -> ProjectOut:
    """A project as the API shows it."""
    project, team = detail.project, detail.team
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "owner": owner_out(detail.owner),
        "team": None if team is None else {"id": team.id, "name": team.name},
        "createdAt": project.created_at,
        "experimentCount": detail.counts.experiments,
        "hypothesisCount": detail.counts.hypotheses,
        "metrics": _metrics_out(project),
        "settings": {
            "namingPattern": project.settings.naming_pattern,
            "namingPatterns": project.settings.naming_patterns,
            "displayMetrics": project.settings.display_metrics,
            "replicateKeys": project.settings.replicate_keys,
        },
    }


def _metrics_out(project: Project) -> list[MetricDefinitionOut]:
    return [
        {"name": m.name, "direction": m.direction, "aggregation": m.aggregation, "label": m.label}
        for m in project.metrics
    ]


def stats_out(detail: ProjectDetail, verdicts: Mapping[HypothesisStatus, int]) -> StatsOut:
    """A project's counts as its dashboard shows them."""
    counts = detail.counts
    return {
        "totalExperiments": counts.experiments,
        "runningExperiments": counts.running,
        "completedExperiments": counts.completed,
        "failedExperiments": counts.failed,
        "totalHypotheses": sum(verdicts.values()),
        "supportedHypotheses": verdicts.get(HypothesisStatus.SUPPORTED, 0),
        "refutedHypotheses": verdicts.get(HypothesisStatus.REFUTED, 0),
    }
