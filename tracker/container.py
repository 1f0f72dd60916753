"""Everything put together: the only module that knows all adapters.

``build`` is cheap and synchronous; ``start`` opens the database and makes sure of its schema;
``stop`` lets everything go. Tests build another container rather than patching this one.
"""

from __future__ import annotations

from dependency_injector import containers, providers

from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.adapters.sql.database import Database
from tracker.adapters.system.clock import SystemClock
from tracker.adapters.system.ids import UuidV7Generator
from tracker.domain.errors import Invalid
from tracker.domain.experiments.service import ExperimentService
from tracker.domain.metrics.service import MetricService
from tracker.domain.projects.service import ProjectService
from tracker.domain.scalars.service import ScalarService
from tracker.ports.scalars import ScalarStore
from tracker.ports.unit_of_work import UnitsOfWork
from tracker.settings import Settings

__all__ = ["Container", "build", "scalar_store", "start", "stop"]


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


class Container(containers.DeclarativeContainer):
    """The services over SQL and the scalars store of the settings."""

    config = providers.Dependency(instance_of=Settings)

    clock = providers.Singleton(SystemClock)
    ids = providers.Singleton(UuidV7Generator)
    database = providers.Singleton(Database, config.provided.database_url)
    units = providers.Singleton(_units, database)
    scalar_store = providers.Singleton(scalar_store, config)

    scalars = providers.Singleton(ScalarService, units, scalar_store, clock, ids)
    metrics = providers.Singleton(MetricService, units, clock, ids)
    experiments = providers.Singleton(
        ExperimentService, units, clock, ids, scalars.provided.sweep, scalars.provided.settle
    )
    projects = providers.Singleton(ProjectService, units, clock, ids, scalars.provided.sweep)


def build(settings: Settings) -> Container:
    """A container for this installation; nothing is opened yet."""
    return Container(config=providers.Object(settings))


async def start(container: Container) -> None:
    """Opens the database, makes sure of its schema and carries out what deletions left to do.

    Raises:
        SchemaMismatch: the database is older or newer than this version of tracker.
        Unavailable: the database does not answer.
    """
    settings: Settings = container.config()
    await container.database().prepare(auto_upgrade=settings.is_default_sqlite)
    await container.scalars().sweep()


async def stop(container: Container) -> None:
    """Finishes what was accepted and closes files and connections."""
    try:
        await container.scalar_store().close()
    finally:
        await container.database().dispose()
