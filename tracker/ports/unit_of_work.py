"""Everything that changes together."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from tracker.ports.artifacts import ArtifactRepository, BlobRepository, SnapshotRepository
from tracker.ports.audit import AuditRepository
from tracker.ports.branches import BranchRepository
from tracker.ports.evaluation.datasets import DatasetRepository
from tracker.ports.evaluation.jobs import (
    AnswerRepository,
    JobFileRepository,
    JobRepository,
    PassRepository,
    RowRepository,
)
from tracker.ports.evaluation.models import ModelRepository
from tracker.ports.evaluation.secrets import SecretRepository
from tracker.ports.evaluation.workflows import EvaluationRepository, WorkflowRepository
from tracker.ports.experiments import ExperimentRepository
from tracker.ports.hypotheses import HypothesisRepository
from tracker.ports.identity import ApiTokenRepository, CodeRepository, StandingRepository, UserRepository
from tracker.ports.limits import LimitRepository
from tracker.ports.metrics import MetricRepository
from tracker.ports.permissions import GrantRepository
from tracker.ports.projects import ProjectRepository
from tracker.ports.purges import PurgeRepository
from tracker.ports.saved_queries import SavedQueryRepository
from tracker.ports.search import SearchRepository
from tracker.ports.summaries import SummaryRepository
from tracker.ports.teams import MemberRepository, TeamRepository

__all__ = ["ReadingUnit", "UnitsOfWork", "WritingUnit"]


class ReadingUnit(Protocol):
    """Reads of one use case. Each read sees what was committed before it began; two reads of one
    unit may lie on either side of somebody else's commit. Saving in it is a programming error.

    Entering and leaving may raise ``Unavailable`` when the database does not answer, and so may
    every method of its repositories.
    """

    @property
    def users(self) -> UserRepository:
        """The installation's users."""
        ...

    @property
    def standings(self) -> StandingRepository:
        """Where each user stands."""
        ...

    @property
    def api_tokens(self) -> ApiTokenRepository:
        """Their API tokens."""
        ...

    @property
    def codes(self) -> CodeRepository:
        """One-time codes."""
        ...

    @property
    def teams(self) -> TeamRepository:
        """The teams."""
        ...

    @property
    def members(self) -> MemberRepository:
        """Who belongs to teams and projects."""
        ...

    @property
    def grants(self) -> GrantRepository:
        """Single actions allowed or denied."""
        ...

    @property
    def limits(self) -> LimitRepository:
        """How often something was tried."""
        ...

    @property
    def audit(self) -> AuditRepository:
        """The audit log."""
        ...

    @property
    def projects(self) -> ProjectRepository:
        """The projects."""
        ...

    @property
    def experiments(self) -> ExperimentRepository:
        """The experiments of all projects."""
        ...

    @property
    def branches(self) -> BranchRepository:
        """What resumed ones left behind."""
        ...

    @property
    def metrics(self) -> MetricRepository:
        """Their final values."""
        ...

    @property
    def summaries(self) -> SummaryRepository:
        """One for each metric of an experiment."""
        ...

    @property
    def saved_queries(self) -> SavedQueryRepository:
        """Searches under a name."""
        ...

    @property
    def search(self) -> SearchRepository:
        """Looks for experiments."""
        ...

    @property
    def hypotheses(self) -> HypothesisRepository:
        """The hypotheses of all projects."""
        ...

    @property
    def artifacts(self) -> ArtifactRepository:
        """Files of all experiments."""
        ...

    @property
    def snapshots(self) -> SnapshotRepository:
        """The code they ran with."""
        ...

    @property
    def blobs(self) -> BlobRepository:
        """The bytes of both."""
        ...

    @property
    def purges(self) -> PurgeRepository:
        """What deletions left to do."""
        ...

    @property
    def datasets(self) -> DatasetRepository:
        """What language models are evaluated on."""
        ...

    @property
    def jobs(self) -> JobRepository:
        """Inference and evaluation, and how far each is."""
        ...

    @property
    def job_rows(self) -> RowRepository:
        """What came of their rows."""
        ...

    @property
    def answers(self) -> AnswerRepository:
        """What models answered before."""
        ...

    @property
    def job_files(self) -> JobFileRepository:
        """What jobs left."""
        ...

    @property
    def job_passes(self) -> PassRepository:
        """By which their workers are known."""
        ...

    @property
    def evaluations(self) -> EvaluationRepository:
        """What models are compared on."""
        ...

    @property
    def workflows(self) -> WorkflowRepository:
        """Each of one model."""
        ...

    @property
    def evaluation_secrets(self) -> SecretRepository:
        """Users' secrets, sealed."""
        ...

    @property
    def catalogue_models(self) -> ModelRepository:
        """Models that were added to the catalogue."""
        ...

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class WritingUnit(ReadingUnit, Protocol):
    """Changes of one use case: all of them happen at :meth:`commit`, or none.

    Leaving without a commit discards everything. Reads see the unit's own changes.
    """

    async def lock(self, name: str) -> None:
        """Waits until no other writing unit holds this name, then holds it until the unit ends.

        Raises:
            Unavailable: it took too long.
        """
        ...

    async def commit(self) -> None:
        """Makes the changes durable and visible; the last call of a unit.

        Raises:
            Unavailable: the database could not; nothing has changed.
        """
        ...


class UnitsOfWork(Protocol):
    """Opens units of work: ``async with units.writing() as unit: ...; await unit.commit()``."""

    def reading(self) -> ReadingUnit:
        """A unit that only looks."""
        ...

    def writing(self) -> WritingUnit:
        """A unit that may change things."""
        ...
