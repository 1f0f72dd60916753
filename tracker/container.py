"""Everything put together: the only module that knows all adapters.

``build`` is cheap and synchronous; ``start`` opens the database and makes sure of its schema;
``stop`` lets everything go. Tests build another container rather than patching this one.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from dependency_injector import containers, providers

from tracker.adapters.blobs.local import LocalBlobStore
from tracker.adapters.importance.forest import ForestImportanceModel
from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.adapters.security.extra import from_extra
from tracker.adapters.security.mail import FileMailer
from tracker.adapters.security.passwords import Argon2PasswordHasher
from tracker.adapters.security.secret_source import SystemSecrets
from tracker.adapters.security.signed_tokens import JwtSignedTokens
from tracker.adapters.security.signing_keys import KeyFile
from tracker.adapters.sql.database import Database
from tracker.adapters.system.clock import SystemClock
from tracker.adapters.system.ids import UuidV7Generator
from tracker.adapters.system.ticker import Ticker
from tracker.domain.artifacts.blobs.service import BlobService
from tracker.domain.artifacts.service import ArtifactService
from tracker.domain.artifacts.snapshots.service import SnapshotService
from tracker.domain.comparison.budgets.service import BudgetService
from tracker.domain.comparison.importances.service import ImportanceService
from tracker.domain.comparison.service import ComparisonService
from tracker.domain.errors import Invalid, Unavailable
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
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.metrics.runs.service import RunService
from tracker.domain.metrics.service import MetricService
from tracker.domain.projects.ownership.service import OwnershipService
from tracker.domain.projects.service import ProjectService
from tracker.domain.scalars.branches.service import BranchService
from tracker.domain.scalars.service import ScalarService
from tracker.domain.search.service import SearchService
from tracker.domain.search.summaries.service import SummaryService
from tracker.ports.blobs import BlobStore
from tracker.ports.scalars import ScalarStore
from tracker.ports.sign_in import IdentityProvider
from tracker.ports.unit_of_work import UnitsOfWork
from tracker.settings import Settings

__all__ = ["Container", "blob_store", "build", "require_extra", "scalar_store", "start", "stop"]


_SUMMARY_SECONDS = 2.0
_LOOKS_BEFORE_LOST = 4
_LOOK_SECONDS = 10.0


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


def _units(database: Database) -> UnitsOfWork:
    return database.units


def scalar_store(settings: Settings) -> ScalarStore:
    """The store of time series that ``SCALARS_URL``, ``SCALARS_SERVICE_URL`` or ``CLICKHOUSE_URL`` names.

    Raises:
        Invalid: no store has this scheme, its driver is not installed, or two are set and differ.
    """
    urls = {settings.scalars_url, settings.scalars_service_url, settings.clickhouse_url} - {""}
    if len(urls) > 1:
        raise Invalid.field(
            "SCALARS_URL", "names another store than SCALARS_SERVICE_URL or CLICKHOUSE_URL; set one of them"
        )
    url = next(iter(urls), "")
    scheme = url.partition("://")[0]
    if not scheme:
        return EmbeddedScalarStore(settings.data / "scalars", synchronous=settings.scalars_sync)
    if scheme in ("http", "https"):
        from tracker.adapters.scalars.http import HttpScalarStore  # noqa: PLC0415  (late: HTTP is slow to import)

        return HttpScalarStore(url, key=settings.scalars_service_key)
    return _scalar_server(scheme, url)


def _scalar_server(scheme: str, url: str) -> ScalarStore:
    """The store in a database server of its own; imported late, since its driver is an extra."""
    extra = "clickhouse" if scheme.startswith("clickhouse") else scheme
    try:
        if scheme in ("clickhouse", "clickhouses", "chdb"):
            from tracker.adapters.scalars.clickhouse import ClickHouseScalarStore  # noqa: PLC0415

            return ClickHouseScalarStore(url)
        if scheme.partition("+")[0] in ("postgresql", "postgres"):
            extra = "postgres"
            from tracker.adapters.scalars.postgres import PostgresScalarStore  # noqa: PLC0415

            return PostgresScalarStore(url)
    except ModuleNotFoundError as error:
        raise Invalid.field(
            "SCALARS_URL", f"this store needs its driver: pip install 'tracker[{extra}]'"
        ) from error
    raise Invalid.field(
        "SCALARS_URL", f"no store of scalars has the scheme {scheme!r}; leave it empty for files"
    )


def blob_store(settings: Settings) -> BlobStore:
    """The store of the bytes of artifacts that ``BLOBS_URL`` names.

    Raises:
        Invalid: the address cannot be used, or the driver is not installed.
    """
    if not settings.blobs_url:
        return LocalBlobStore(settings.data / "blobs")
    try:
        from tracker.adapters.blobs.s3 import S3BlobStore  # noqa: PLC0415  (late: its driver is an extra)
    except ModuleNotFoundError as error:
        raise Invalid.field("BLOBS_URL", "this store needs its driver: pip install 'tracker[s3]'") from error
    return S3BlobStore(settings.blobs_url, settings.data / "incoming-blobs", settings.aws_endpoint_url)


def _identity_provider(settings: Settings) -> IdentityProvider:
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        raise Unavailable("no identity provider is configured (OIDC_ISSUER and OIDC_CLIENT_ID)", 3600)
    from tracker.adapters.security.oidc import OidcIdentityProvider  # noqa: PLC0415

    return OidcIdentityProvider(
        settings.oidc_issuer,
        settings.oidc_client_id,
        settings.oidc_client_secret,
        groups_claim=settings.oidc_groups_claim,
        scopes=settings.oidc_scopes,
    )


class Container(containers.DeclarativeContainer):
    """The services over SQL and the scalars store of the settings."""

    config = providers.Dependency(instance_of=Settings)

    clock = providers.Singleton(SystemClock)
    ids = providers.Singleton(UuidV7Generator)
    database = providers.Singleton(Database, config.provided.database_url)
    units = providers.Singleton(_units, database)
    scalar_store = providers.Singleton(scalar_store, config)
    blob_store = providers.Singleton(blob_store, config)

    passwords = providers.Singleton(Argon2PasswordHasher)
    secrets = providers.Singleton(SystemSecrets)
    mailer = providers.Singleton(FileMailer, config.provided.data.joinpath.call("mail"))
    signing_keys = providers.Singleton(KeyFile, config.provided.data.joinpath.call("signing-keys.json"))
    signed_tokens = providers.Singleton(JwtSignedTokens, signing_keys)
    identity_provider = providers.Singleton(_identity_provider, config)

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
