"""Units of work over dictionaries."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from tracker.adapters.memory.artifacts import MemoryArtifactRepository, MemorySnapshotRepository
from tracker.adapters.memory.audit import MemoryAuditRepository
from tracker.adapters.memory.blobs import MemoryBlobRepository
from tracker.adapters.memory.branches import MemoryBranchRepository
from tracker.adapters.memory.evaluation.datasets import MemoryDatasetRepository
from tracker.adapters.memory.evaluation.job_files import MemoryJobFileRepository, MemoryPassRepository
from tracker.adapters.memory.evaluation.job_rows import MemoryAnswerRepository, MemoryRowRepository
from tracker.adapters.memory.evaluation.jobs import MemoryJobRepository
from tracker.adapters.memory.evaluation.secrets import MemoryModelRepository, MemorySecretRepository
from tracker.adapters.memory.evaluation.workflows import (
    MemoryEvaluationRepository,
    MemoryWorkflowRepository,
)
from tracker.adapters.memory.experiments import MemoryExperimentRepository
from tracker.adapters.memory.hypotheses import MemoryHypothesisRepository
from tracker.adapters.memory.identity import (
    MemoryApiTokenRepository,
    MemoryCodeRepository,
    MemoryStandingRepository,
    MemoryUserRepository,
)
from tracker.adapters.memory.limits import MemoryLimitRepository
from tracker.adapters.memory.metrics import MemoryMetricRepository
from tracker.adapters.memory.permissions import MemoryGrantRepository
from tracker.adapters.memory.projects import MemoryProjectRepository
from tracker.adapters.memory.purges import MemoryPurgeRepository
from tracker.adapters.memory.saved_queries import MemorySavedQueryRepository
from tracker.adapters.memory.search import MemorySearchRepository
from tracker.adapters.memory.state import Current
from tracker.adapters.memory.summaries import MemorySummaryRepository
from tracker.adapters.memory.teams import MemoryMemberRepository, MemoryTeamRepository

__all__ = ["MemoryUnitsOfWork"]


class MemoryUnitsOfWork:
    """One installation in memory, for one event loop. Writing units follow one another."""

    def __init__(self) -> None:
        self._committed = Current()
        self._writing = asyncio.Lock()

    def reading(self) -> MemoryUnit:
        """A unit that only looks."""
        return MemoryUnit(self._committed)

    def writing(self) -> MemoryWritingUnit:
        """A unit that may change things."""
        return MemoryWritingUnit(self._committed, self._writing)


class MemoryUnit:
    """Looks at one state."""

    def __init__(self, current: Current) -> None:
        self.users = MemoryUserRepository(current)
        self.standings = MemoryStandingRepository(current)
        self.api_tokens = MemoryApiTokenRepository(current)
        self.codes = MemoryCodeRepository(current)
        self.teams = MemoryTeamRepository(current)
        self.members = MemoryMemberRepository(current)
        self.grants = MemoryGrantRepository(current)
        self.limits = MemoryLimitRepository(current)
        self.audit = MemoryAuditRepository(current)
        self.projects = MemoryProjectRepository(current)
        self.experiments = MemoryExperimentRepository(current)
        self.branches = MemoryBranchRepository(current)
        self.metrics = MemoryMetricRepository(current)
        self.summaries = MemorySummaryRepository(current)
        self.saved_queries = MemorySavedQueryRepository(current)
        self.search = MemorySearchRepository(current)
        self.hypotheses = MemoryHypothesisRepository(current)
        self.artifacts = MemoryArtifactRepository(current)
        self.snapshots = MemorySnapshotRepository(current)
        self.blobs = MemoryBlobRepository(current)
        self.purges = MemoryPurgeRepository(current)
        self.datasets = MemoryDatasetRepository(current)
        self.jobs = MemoryJobRepository(current)
        self.job_rows = MemoryRowRepository(current)
        self.answers = MemoryAnswerRepository(current)
        self.job_files = MemoryJobFileRepository(current)
        self.job_passes = MemoryPassRepository(current)
        self.evaluations = MemoryEvaluationRepository(current)
        self.workflows = MemoryWorkflowRepository(current)
        self.evaluation_secrets = MemorySecretRepository(current)
        self.catalogue_models = MemoryModelRepository(current)

    async def __aenter__(self) -> Self:
        """Begins."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends."""


class MemoryWritingUnit(MemoryUnit):
    """Changes a copy, which becomes the committed state at the commit."""

    def __init__(self, committed: Current, turn: asyncio.Lock) -> None:
        self._own = Current()
        self._committed = committed
        self._turn = turn
        super().__init__(self._own)

    async def __aenter__(self) -> Self:
        """Waits for its turn, then takes the copy."""
        await self._turn.acquire()
        self._own.state = self._committed.state.copy()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drops what was not committed."""
        self._turn.release()

    async def lock(self, name: str) -> None:
        """Nothing to wait for: no other unit writes while this one does."""

    async def commit(self) -> None:
        """The copy becomes what everybody sees."""
        if not self._own.state.stands_like(self._committed.state):
            self._own.state.counters["standings"] += 1
        self._committed.state, self._own.state = self._own.state, self._own.state.copy()
