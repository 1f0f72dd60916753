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
from tracker.domain.experiments.service import ExperimentService
from tracker.domain.metrics.service import MetricService
from tracker.domain.projects.service import ProjectService
from tracker.domain.scalars.service import ScalarService
from tracker.ports.unit_of_work import UnitsOfWork
from tracker.settings import Settings

__all__ = ["Container", "build", "start", "stop"]


def _units(database: Database) -> UnitsOfWork:
    return database.units


class Container(containers.DeclarativeContainer):
    """The services over SQL and the embedded scalars store."""

    config = providers.Dependency(instance_of=Settings)

    clock = providers.Singleton(SystemClock)
    ids = providers.Singleton(UuidV7Generator)
    database = providers.Singleton(Database, config.provided.database_url)
    units = providers.Singleton(_units, database)
    scalar_store = providers.Singleton(
        EmbeddedScalarStore,
        config.provided.data.joinpath.call("scalars"),
        synchronous=config.provided.scalars_sync,
    )

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
