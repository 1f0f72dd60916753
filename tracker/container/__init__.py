"""Everything put together: the only module that knows all adapters.

``build`` is cheap and synchronous; ``start`` opens the database and makes sure of its schema;
``stop`` lets everything go. Tests build another container rather than patching this one.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from dependency_injector import containers, providers

from tracker.adapters.catalogue import shipped_models
from tracker.adapters.importance.forest import ForestImportanceModel
from tracker.adapters.security.extra import from_extra
from tracker.adapters.security.link_tokens import HmacSignedTokens
from tracker.adapters.security.mail import FileMailer
from tracker.adapters.security.passwords import Argon2PasswordHasher
from tracker.adapters.security.secret_source import SystemSecrets
from tracker.adapters.security.secrets_box import AesGcmSecretsBox
from tracker.adapters.security.signed_tokens import JwtSignedTokens
from tracker.adapters.security.signing_keys import KeyFile
from tracker.adapters.spool.local import LocalSpool
from tracker.adapters.sql.database import Database
from tracker.adapters.system.clock import SystemClock
from tracker.adapters.system.ids import UuidV7Generator
from tracker.adapters.system.ticker import Ticker
from tracker.adapters.system.together import together
from tracker.adapters.tables.parquet import ParquetTables
from tracker.adapters.text_metrics import PackagedTextMetrics
from tracker.container import choices
from tracker.container.choices import blob_store, scalar_store
from tracker.domain.artifacts.blobs.service import BlobService
from tracker.domain.artifacts.service import ArtifactService
from tracker.domain.artifacts.snapshots.service import SnapshotService
from tracker.domain.comparison.budgets.service import BudgetService
from tracker.domain.comparison.importances.service import ImportanceService
from tracker.domain.comparison.service import ComparisonService
from tracker.domain.errors import Unavailable
from tracker.domain.evaluation.catalogue.service import ModelService
from tracker.domain.evaluation.comparisons.service import WorkflowComparisonService
from tracker.domain.evaluation.datasets.service import DatasetService
from tracker.domain.evaluation.datasets.uploads.service import Intake
from tracker.domain.evaluation.files.service import FileService
from tracker.domain.evaluation.jobs.checking.service import JobChecks
from tracker.domain.evaluation.jobs.desks.service import DeskService, DirectDesk
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.domain.evaluation.jobs.leaving.service import Leaving
from tracker.domain.evaluation.jobs.service import JobService
from tracker.domain.evaluation.links.service import LinkService as FileLinkService
from tracker.domain.evaluation.oversight.attempts.service import Attempts
from tracker.domain.evaluation.oversight.forgetting.service import Forgetting
from tracker.domain.evaluation.oversight.recording.service import Recording
from tracker.domain.evaluation.oversight.service import Overseer
from tracker.domain.evaluation.oversight.stepping.service import Stepping
from tracker.domain.evaluation.secret_keeping.service import SecretService
from tracker.domain.evaluation.service import EvaluationService
from tracker.domain.evaluation.workflows.erasing.service import WorkflowErasing
from tracker.domain.evaluation.workflows.service import WorkflowService
from tracker.domain.experiments.heartbeats.service import HeartbeatService
from tracker.domain.experiments.service import ExperimentService
from tracker.domain.hypotheses.links.service import LinkService
from tracker.domain.hypotheses.service import HypothesisService
from tracker.domain.hypotheses.tails.service import SeriesTails
from tracker.domain.hypotheses.verdicts.service import Verdicts
from tracker.domain.identity.accounts.service import AccountService
from tracker.domain.identity.attempts.service import AttemptService
from tracker.domain.identity.audit.service import AuditService
from tracker.domain.identity.callers.service import CallerService
from tracker.domain.identity.permissions.service import PermissionService
from tracker.domain.identity.recovery.service import RecoveryService
from tracker.domain.identity.sessions.service import SessionService
from tracker.domain.identity.sign_in.service import SignInService
from tracker.domain.identity.teams.service import TeamService
from tracker.domain.identity.tokens.service import ApiTokenService
from tracker.domain.ids import ExperimentId, JobId, ProjectId
from tracker.domain.metrics.runs.service import RunService
from tracker.domain.metrics.service import MetricService
from tracker.domain.projects.ownership.service import OwnershipService
from tracker.domain.projects.service import ProjectService
from tracker.domain.scalars.branches.service import BranchService
from tracker.domain.scalars.service import ScalarService
from tracker.domain.search.service import SearchService
from tracker.domain.search.summaries.service import SummaryService
from tracker.ports.evaluation.desk import Desk
from tracker.ports.evaluation.runner import JobRunner
from tracker.ports.unit_of_work import UnitsOfWork
from tracker.settings import Settings

__all__ = [
    "Container", "blob_store", "build", "closed", "look_after_jobs", "opened_desk", "require_extra",
    "scalar_store", "start", "stop",
]  # fmt: skip


_SUMMARY_SECONDS = 2.0
_LOOKS_BEFORE_LOST = 4
_LOOK_SECONDS = 10.0
_LOOK_AFTER_JOBS_SECONDS = 1.0


def _settling(
    scalars: ScalarService, summaries: SummaryService
) -> Callable[[ProjectId, ExperimentId], Awaitable[None]]:
    """What happens to the points of a run that has ended."""

    async def settle(project_id: ProjectId, experiment_id: ExperimentId) -> None:
        await scalars.settle(project_id, experiment_id)
        await summaries.settle(project_id, experiment_id)

    return settle


def _look_seconds(lost_after: int) -> float:
    """Between two looks for runs that fell silent."""
    return min(_LOOK_SECONDS, lost_after / _LOOKS_BEFORE_LOST)


def _holder() -> str:
    """This process, as the events of jobs name it."""
    return f"{socket.gethostname()}:{os.getpid()}"[-200:]


class _Watch:
    """What looks after jobs in this process, if anything does."""

    def __init__(self) -> None:
        self.ticker: Ticker | None = None
        self.runner: JobRunner | None = None

    async def stop(self) -> None:
        """Ends that; jobs go on."""
        if self.ticker is not None:
            await self.ticker.stop()
        if self.runner is not None:
            await self.runner.close()


def _units(database: Database) -> UnitsOfWork:
    return database.units


class Container(containers.DeclarativeContainer):
    """The services over SQL and the scalars store of the settings."""

    config = providers.Dependency(instance_of=Settings)

    clock = providers.Singleton(SystemClock)
    ids = providers.Singleton(UuidV7Generator)
    database = providers.Singleton(Database, config.provided.database_url)
    units = providers.Singleton(_units, database)
    scalar_store = providers.Singleton(choices.scalar_store, config)
    blob_store = providers.Singleton(choices.blob_store, config)

    passwords = providers.Singleton(Argon2PasswordHasher)
    secrets = providers.Singleton(SystemSecrets)
    mailer = providers.Singleton(FileMailer, config.provided.data.joinpath.call("mail"))
    signing_keys = providers.Singleton(KeyFile, config.provided.data.joinpath.call("signing-keys.json"))
    signed_tokens = providers.Singleton(JwtSignedTokens, signing_keys)
    identity_provider = providers.Singleton(choices.identity_provider, config)

    _rules = config.provided.identity_rules
    attempts = providers.Singleton(AttemptService, units, clock)
    accounts = providers.Singleton(
        AccountService, units, clock, ids, passwords=passwords, attempts=attempts, rules=_rules
    )
    sessions = providers.Singleton(
        SessionService, units, clock, ids,
        passwords=passwords, tokens=signed_tokens, attempts=attempts, rules=_rules,
    )  # fmt: skip
    callers = providers.Singleton(CallerService, units, clock, signed_tokens)
    recovery = providers.Singleton(
        RecoveryService, units, clock, ids,
        passwords=passwords, secrets=secrets, mailer=mailer, attempts=attempts, rules=_rules,
    )  # fmt: skip
    sign_in = providers.Singleton(
        SignInService, units, clock, ids,
        provider=identity_provider.provider, tokens=signed_tokens, sessions=sessions, rules=_rules,
    )  # fmt: skip
    api_tokens = providers.Singleton(ApiTokenService, units, clock, ids, secrets)
    teams = providers.Singleton(TeamService, units, clock, ids)
    permissions = providers.Singleton(PermissionService, units, clock, ids)
    audit = providers.Singleton(AuditService, units, clock)

    summaries = providers.Singleton(SummaryService, units, scalar_store, clock)
    summary_ticker = providers.Singleton(Ticker, summaries.provided.refresh, _SUMMARY_SECONDS)
    scalars = providers.Singleton(ScalarService, units, scalar_store, clock, ids, summaries.provided.note)
    search = providers.Singleton(SearchService, units, clock, ids)
    metrics = providers.Singleton(MetricService, units, clock, ids)
    _settled = providers.Callable(_settling, scalars, summaries)
    experiments = providers.Singleton(ExperimentService, units, clock, ids, scalars.provided.sweep, _settled)
    branches = providers.Singleton(BranchService, units, scalar_store, clock, ids, summaries.provided.settle)
    heartbeats = providers.Singleton(
        HeartbeatService, units, clock, _settled,
        monotonic=providers.Object(time.monotonic), lost_after=config.provided.lost_after,
    )  # fmt: skip
    heartbeat_ticker = providers.Singleton(
        Ticker, heartbeats.provided.sweep, providers.Callable(_look_seconds, config.provided.lost_after)
    )
    blobs = providers.Singleton(BlobService, units, blob_store, clock)
    artifacts = providers.Singleton(ArtifactService, units, blob_store, clock, ids)
    snapshots = providers.Singleton(SnapshotService, units, blob_store, clock, ids)
    runs = providers.Singleton(RunService, experiments, clock, ids)
    verdicts = providers.Singleton(Verdicts, providers.Singleton(SeriesTails, scalar_store), clock)
    hypotheses = providers.Singleton(HypothesisService, units, clock, ids, verdicts)
    hypothesis_links = providers.Singleton(LinkService, units, clock, verdicts)
    comparisons = providers.Singleton(ComparisonService, units, clock, search)
    budgets = providers.Singleton(BudgetService, units, scalar_store)
    importance_model = providers.Singleton(ForestImportanceModel)
    importances = providers.Singleton(ImportanceService, units, clock, importance_model)
    job_rules = providers.Singleton(Rules)
    job_runner = providers.Singleton(choices.job_runner, config, job_rules)
    text_metrics = providers.Singleton(PackagedTextMetrics)
    shipped_models = providers.Object(shipped_models)
    secrets_box = providers.Singleton(
        AesGcmSecretsBox, config.provided.data.joinpath.call("secret-keys.json")
    )
    evaluation_secrets = providers.Singleton(SecretService, units, clock, secrets_box)
    models = providers.Singleton(ModelService, units, clock, shipped_models)
    link_keys = providers.Singleton(KeyFile, config.provided.data.joinpath.call("link-keys.json"))
    links = providers.Singleton(
        FileLinkService, units, blob_store, clock, providers.Singleton(HmacSignedTokens, link_keys)
    )
    spool = providers.Singleton(LocalSpool, config.provided.data.joinpath.call("incoming"))
    files = providers.Singleton(FileService, units, blob_store, spool, clock)
    tables = providers.Singleton(ParquetTables)
    intake = providers.Singleton(Intake, files, tables, providers.Callable(choices.dataset_limits, config))
    datasets = providers.Singleton(DatasetService, units, blob_store, clock, ids, intake=intake, links=links)
    job_checks = providers.Singleton(
        JobChecks, job_runner, text_metrics, trusts_remote_code=config.provided.jobs_trust_remote_code
    )
    jobs = providers.Singleton(
        JobService, units, clock, ids, checks=job_checks, files=files, links=links, runner=job_runner
    )
    workflow_erasing = providers.Singleton(
        WorkflowErasing, units, clock, ids, runner=job_runner, purge=scalars.provided.sweep
    )
    workflows = providers.Singleton(
        WorkflowService, units, clock, ids,
        checks=job_checks, files=files, links=links, erasing=workflow_erasing, runner=job_runner,
    )  # fmt: skip
    workflow_comparisons = providers.Singleton(
        WorkflowComparisonService, units, blob_store, providers.Object(asyncio.to_thread)
    )
    evaluations = providers.Singleton(
        EvaluationService, units, clock, ids, workflows=workflows, erasing=workflow_erasing
    )
    desk = providers.Singleton(
        DeskService, units, blob_store, clock,
        leaving=providers.Singleton(Leaving, units, clock, ids, files, intake),
        secrets=secrets, box=secrets_box, shipped=shipped_models, rules=job_rules,
    )  # fmt: skip
    overseer = providers.Singleton(
        Overseer, units, clock,
        attempts=providers.Singleton(
            Attempts, units, clock,
            runner=job_runner, checks=job_checks, secrets=secrets, holder=providers.Callable(_holder),
            rules=job_rules, memory=config.provided.jobs_memory,
        ),
        stepping=providers.Singleton(
            Stepping, units, clock, files=files, checks=job_checks, rules=job_rules,
            recording=providers.Singleton(
                Recording, units, clock, ids,
                scalars=scalar_store, logged=summaries.provided.note, ended=_settled,
            ),
        ),
        together=providers.Object(together),
    )  # fmt: skip
    forgetting = providers.Singleton(Forgetting, units, job_runner)
    watch = providers.Singleton(_Watch)
    projects = providers.Singleton(ProjectService, units, clock, ids, scalars.provided.sweep)
    ownership = providers.Singleton(OwnershipService, units, clock, ids, scalars.provided.sweep)


def build(settings: Settings) -> Container:
    """A container for this installation; nothing is opened yet.

    Where its folder is stays as it is now, wherever the process goes later.
    """
    return Container(config=providers.Object(settings.evolve(data=settings.data.absolute())))


async def start(container: Container) -> None:
    """Opens the database, makes sure of its schema and carries out what deletions left to do.

    Raises:
        SchemaMismatch: the database is older or newer than this version of tracker.
        Unavailable: the database does not answer, or a file stands where the data folder belongs.
    """
    settings: Settings = container.config()
    _require_folder(settings.data)
    await container.database().prepare(auto_upgrade=settings.is_default_sqlite)
    await container.scalars().sweep()
    await container.blobs().sweep()
    container.summary_ticker().start()
    container.heartbeat_ticker().start()


def look_after_jobs(container: Container) -> None:
    """Has this process look after jobs and workflows, until the container stops: what servers do, and scripts
    do not.

    Raises:
        Invalid: the runner of the settings cannot be used.
    """
    watch = container.watch()
    watch.runner = container.job_runner()
    watch.ticker = Ticker(container.overseer().look, _LOOK_AFTER_JOBS_SECONDS)
    watch.ticker.start()


async def opened_desk(container: Container, job_id: JobId, attempt: int) -> Desk:
    """The desk of an attempt, in a process that does nothing else with the installation.

    Raises:
        SchemaMismatch: the database is older or newer than this version of tracker.
        Unavailable: it does not answer.
    """
    await container.database().prepare(auto_upgrade=False)
    return DirectDesk(container.desk(), job_id, attempt)


async def closed(container: Container) -> None:
    """Closes what an opened desk has opened."""
    try:
        await container.blob_store().close()
    finally:
        await container.database().dispose()


def _require_folder(data: Path) -> None:
    """Found now, it costs a message; found by a thread that saves points, the points."""
    try:
        nearest = next(place for place in (data, *data.parents) if place.exists())
    except OSError as error:
        raise Unavailable(f"cannot look at the data folder {data}: {error.strerror}") from error
    if not nearest.is_dir():
        raise Unavailable(f"{nearest} is not a folder; TRACKER_DATA must name one")


async def stop(container: Container) -> None:
    """Finishes what was accepted and closes files and connections."""
    try:
        await container.watch().stop()
        await container.heartbeat_ticker().stop()
        await container.summary_ticker().stop()
        await container.scalar_store().close()
        await container.blob_store().close()
    finally:
        await container.sign_in().close()
        await container.database().dispose()


def require_extra() -> None:
    """Lets pass an installation that can have accounts.

    Raises:
        Unavailable: the packages of the extra ``team`` are missing; says what to run.
    """
    with from_extra():
        import argon2  # noqa: F401, PLC0415
        import joserfc  # noqa: F401, PLC0415
