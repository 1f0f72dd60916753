"""Everything that one in-memory installation holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from tracker.domain.artifacts.artifact import Artifact
from tracker.domain.artifacts.snapshot import Snapshot
from tracker.domain.evaluation.datasets.dataset import Dataset
from tracker.domain.evaluation.evaluation import Evaluation
from tracker.domain.evaluation.jobs.job import Job
from tracker.domain.evaluation.jobs.passes import JobPass
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.models import CatalogueEntry
from tracker.domain.evaluation.secrets import SealedSecret, Secret
from tracker.domain.evaluation.workflows.workflow import Workflow
from tracker.domain.experiments.branch import Branch
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.hypotheses.hypothesis import Decision, Hypothesis
from tracker.domain.identity.accounts.user import User
from tracker.domain.identity.actor import LOCAL_USER
from tracker.domain.identity.attempts.limits import Bucket
from tracker.domain.identity.audit.entry import AuditEntry
from tracker.domain.identity.permissions.grant import Grant
from tracker.domain.identity.recovery.one_time_code import OneTimeCode
from tracker.domain.identity.sessions.session import Session
from tracker.domain.identity.teams.team import ProjectMember, Team, TeamMember
from tracker.domain.identity.tokens.api_token import ApiToken
from tracker.domain.ids import (
    ApiTokenId,
    ArtifactId,
    BranchId,
    CodeId,
    DatasetId,
    DecisionId,
    EvaluationId,
    ExperimentId,
    GrantId,
    HypothesisId,
    JobId,
    ProjectId,
    PurgeId,
    SavedQueryId,
    SessionId,
    SnapshotId,
    TeamId,
    UserId,
    WorkflowId,
)
from tracker.domain.metrics.metric import Metric
from tracker.domain.metrics.summary import SeriesMark
from tracker.domain.projects.project import Project
from tracker.domain.projects.purge import Purge
from tracker.domain.search.saved_query import SavedQuery
from tracker.ports.evaluation.jobs import JobFile

__all__ = ["BlobRow", "Current", "MemberKey", "MetricKey", "SeriesKey", "State"]

MetricKey = tuple[ExperimentId, str, str | None, int]
SeriesKey = tuple[ExperimentId, str]
MemberKey = tuple[UUID, UserId]


class BlobRow(NamedTuple):
    """A blob: its size once its bytes are there, and when it is up for review, if it is."""

    size: int | None
    review_at: datetime | None


def _local_user() -> dict[UserId, User]:
    return {
        LOCAL_USER: User(
            id=LOCAL_USER,
            email="local@localhost",
            display_name="Local user",
            created_at=datetime(1970, 1, 1, tzinfo=UTC),
        )
    }


@dataclass
class State:
    """One dictionary a table. Its values are immutable, so a shallow copy is a snapshot."""

    users: dict[UserId, User] = field(default_factory=_local_user)
    external: dict[tuple[str, str], UserId] = field(default_factory=dict)
    ended_sessions: dict[SessionId, Session] = field(default_factory=dict)
    api_tokens: dict[ApiTokenId, ApiToken] = field(default_factory=dict)
    codes: dict[CodeId, OneTimeCode] = field(default_factory=dict)
    teams: dict[TeamId, Team] = field(default_factory=dict)
    members: dict[MemberKey, TeamMember | ProjectMember] = field(default_factory=dict)
    grants: dict[GrantId, Grant] = field(default_factory=dict)
    limits: dict[str, Bucket] = field(default_factory=dict)
    audit: dict[int, AuditEntry] = field(default_factory=dict)
    projects: dict[ProjectId, Project] = field(default_factory=dict)
    experiments: dict[ExperimentId, Experiment] = field(default_factory=dict)
    branches: dict[BranchId, Branch] = field(default_factory=dict)
    metrics: dict[MetricKey, Metric] = field(default_factory=dict)
    series: dict[SeriesKey, SeriesMark] = field(default_factory=dict)
    saved_queries: dict[SavedQueryId, SavedQuery] = field(default_factory=dict)
    hypotheses: dict[HypothesisId, Hypothesis] = field(default_factory=dict)
    decisions: dict[DecisionId, Decision] = field(default_factory=dict)
    artifacts: dict[ArtifactId, Artifact] = field(default_factory=dict)
    snapshots: dict[SnapshotId, Snapshot] = field(default_factory=dict)
    blobs: dict[str, BlobRow] = field(default_factory=dict)
    uploads: dict[tuple[str, UserId], datetime] = field(default_factory=dict)
    purges: dict[PurgeId, Purge] = field(default_factory=dict)
    datasets: dict[DatasetId, Dataset] = field(default_factory=dict)
    jobs: dict[JobId, Job] = field(default_factory=dict)
    # Of each job and project a mapping of its own: a job has thousands of rows, and they are not copied
    # for each unit of work.
    job_rows: dict[JobId, Mapping[int, RowOutcome]] = field(default_factory=dict)
    answers: dict[ProjectId, Mapping[str, RowOutcome]] = field(default_factory=dict)
    job_files: dict[tuple[JobId, str], JobFile] = field(default_factory=dict)
    job_passes: dict[tuple[JobId, int], JobPass] = field(default_factory=dict)
    evaluations: dict[EvaluationId, Evaluation] = field(default_factory=dict)
    workflows: dict[WorkflowId, Workflow] = field(default_factory=dict)
    evaluation_secrets: dict[tuple[UserId, str], tuple[Secret, SealedSecret]] = field(default_factory=dict)
    catalogue_models: dict[tuple[str, str], CatalogueEntry] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=lambda: {"standings": 0})

    def copy(self) -> State:
        """A snapshot that can be changed without changing this one."""
        return State(**{table.name: dict(getattr(self, table.name)) for table in fields(self)})

    def stands_like(self, other: State) -> bool:
        """Whether everybody stands as in the other state."""
        return all(getattr(self, table) == getattr(other, table) for table in _STANDING)


_STANDING = ("users", "ended_sessions", "api_tokens", "teams", "members", "grants")


@dataclass
class Current:
    """Points at the state that counts now: the committed one, or a writing unit's own copy."""

    state: State = field(default_factory=State)
