"""Units of work over SQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Generic, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tracker.adapters.sql.artifacts import SqlArtifactRepository, SqlSnapshotRepository
from tracker.adapters.sql.audit import SqlAuditRepository
from tracker.adapters.sql.blobs import SqlBlobRepository
from tracker.adapters.sql.branches import SqlBranchRepository
from tracker.adapters.sql.engine import WRITING
from tracker.adapters.sql.evaluation.datasets import SqlDatasetRepository
from tracker.adapters.sql.evaluation.job_files import SqlJobFileRepository, SqlPassRepository
from tracker.adapters.sql.evaluation.job_rows import SqlAnswerRepository, SqlRowRepository
from tracker.adapters.sql.evaluation.jobs import SqlJobRepository
from tracker.adapters.sql.evaluation.secrets import SqlModelRepository, SqlSecretRepository
from tracker.adapters.sql.evaluation.workflows import SqlEvaluationRepository, SqlWorkflowRepository
from tracker.adapters.sql.experiments import SqlExperimentRepository
from tracker.adapters.sql.failures import translated
from tracker.adapters.sql.file_lock import FileLock
from tracker.adapters.sql.file_version import FileVersion
from tracker.adapters.sql.finishing import finished
from tracker.adapters.sql.hypotheses import SqlHypothesisRepository
from tracker.adapters.sql.identity import SqlApiTokenRepository, SqlCodeRepository, SqlUserRepository
from tracker.adapters.sql.identity_tables import standing_changes
from tracker.adapters.sql.limits import SqlLimitRepository
from tracker.adapters.sql.metrics import SqlMetricRepository
from tracker.adapters.sql.permissions import SqlGrantRepository
from tracker.adapters.sql.projects import SqlProjectRepository
from tracker.adapters.sql.purges import SqlPurgeRepository
from tracker.adapters.sql.saved_queries import SqlSavedQueryRepository
from tracker.adapters.sql.search import SqlSearchRepository
from tracker.adapters.sql.session import Loaders, ReadingSession, Session, WritingSession
from tracker.adapters.sql.standings import SqlStandingRepository
from tracker.adapters.sql.summaries import SqlSummaryRepository
from tracker.adapters.sql.teams import SqlMemberRepository, SqlTeamRepository

__all__ = ["SqlUnitsOfWork"]


class SqlUnitsOfWork:
    """Opens units over one engine.

    Args:
        engine: whose connections they use.
        file_lock: held by each writing unit; ``None`` for a database that has its own locks.
        file_version: tells whether the file was written; ``None`` for a database that is none.
    """

    def __init__(
        self, engine: AsyncEngine, file_lock: FileLock | None, file_version: FileVersion | None
    ) -> None:
        self._engine = engine
        self._file_lock = file_lock
        # Each question is by itself, so that all who only look can share one.
        self._reading = SqlReadingUnit(ReadingSession(engine, Loaders(engine, file_version)))

    def reading(self) -> SqlReadingUnit:
        """A unit that only looks."""
        return self._reading

    def writing(self) -> SqlWritingUnit:
        """A unit that may change things."""
        return SqlWritingUnit(self._engine, self._file_lock)


R = TypeVar("R")


class _Made(Generic[R]):
    """A repository of a unit, made when it is first asked for: a unit needs a few of them, and most make
    statements."""

    def __init__(self, repository: Callable[[Session], R]) -> None:
        self._repository = repository

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, unit: _Repositories, owner: type) -> R:
        made = self._repository(unit.session)
        unit.__dict__[self._name] = made  # which is found before this
        return made


class _Repositories:
    session: Session

    users = _Made(SqlUserRepository)
    standings = _Made(SqlStandingRepository)
    api_tokens = _Made(SqlApiTokenRepository)
    codes = _Made(SqlCodeRepository)
    teams = _Made(SqlTeamRepository)
    members = _Made(SqlMemberRepository)
    grants = _Made(SqlGrantRepository)
    limits = _Made(SqlLimitRepository)
    audit = _Made(SqlAuditRepository)
    projects = _Made(SqlProjectRepository)
    experiments = _Made(SqlExperimentRepository)
    branches = _Made(SqlBranchRepository)
    metrics = _Made(SqlMetricRepository)
    summaries = _Made(SqlSummaryRepository)
    saved_queries = _Made(SqlSavedQueryRepository)
    search = _Made(SqlSearchRepository)
    hypotheses = _Made(SqlHypothesisRepository)
    artifacts = _Made(SqlArtifactRepository)
    snapshots = _Made(SqlSnapshotRepository)
    blobs = _Made(SqlBlobRepository)
    purges = _Made(SqlPurgeRepository)
    datasets = _Made(SqlDatasetRepository)
    jobs = _Made(SqlJobRepository)
    job_rows = _Made(SqlRowRepository)
    answers = _Made(SqlAnswerRepository)
    job_files = _Made(SqlJobFileRepository)
    job_passes = _Made(SqlPassRepository)
    evaluations = _Made(SqlEvaluationRepository)
    workflows = _Made(SqlWorkflowRepository)
    evaluation_secrets = _Made(SqlSecretRepository)
    catalogue_models = _Made(SqlModelRepository)


class SqlReadingUnit(_Repositories):
    """Reads without a transaction; holds no connection between them."""

    def __init__(self, session: ReadingSession) -> None:
        self.session = session

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


class SqlWritingUnit(_Repositories):
    """One transaction on one connection; its repositories exist once it is entered."""

    def __init__(self, engine: AsyncEngine, file_lock: FileLock | None) -> None:
        self._engine = engine
        self._file_lock = file_lock
        self._opened = AsyncExitStack()
        self._connection: AsyncConnection
        self.session: WritingSession

    async def __aenter__(self) -> Self:
        """Waits for its turn and begins the transaction."""
        async with AsyncExitStack() as opening:
            if self._file_lock is not None:
                await opening.enter_async_context(self._file_lock.held())
            with translated():
                connection = await self._engine.connect()
                # Not the connection's own exit, which a cancellation would leave behind unfinished:
                # the file lock must be held until the transaction has ended.
                opening.push_async_callback(_close, connection)
                self._connection = await connection.execution_options(**WRITING)
                await finished(_begun(self._connection))
            self._opened = opening.pop_all()
        self.session = WritingSession(self._connection)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Rolls back what was not committed and gives the connection back."""
        with translated():
            await self._opened.aclose()

    async def lock(self, name: str) -> None:
        """An advisory lock of the transaction; SQLite has but one writer anyway."""
        if self._engine.dialect.name == "postgresql":
            key = sa.func.hashtextextended(name, 0)
            with translated():
                await finished(self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key))))

    async def commit(self) -> None:
        """Makes the changes durable."""
        with translated():
            if self.session.changes_standings:
                await finished(self._connection.execute(_ANOTHER_STANDING))
                self.session.changes_standings = False
            await finished(self._connection.commit())


_ANOTHER_STANDING = sa.update(standing_changes).values(changes=standing_changes.c.changes + 1)


async def _begun(connection: AsyncConnection) -> None:
    await connection.begin()


async def _close(connection: AsyncConnection) -> None:
    await finished(connection.close())
