"""Use cases of the model catalogue."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tracker.domain.errors import NotFound
from tracker.domain.evaluation.models import CatalogueEntry, Origin, merged, of_tasks
from tracker.domain.identity.accounts.service import require_superuser
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.audit.service import record
from tracker.ports.clock import Clock
from tracker.ports.unit_of_work import UnitsOfWork

__all__ = ["ModelService"]


class ModelService:
    """Tells which models are offered. Everybody may look; superusers add and remove.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        shipped: gives the entries that come with tracker; asked for late, and again and again.
    """

    def __init__(
        self, units: UnitsOfWork, clock: Clock, shipped: Callable[[], Sequence[CatalogueEntry]]
    ) -> None:
        self._units = units
        self._clock = clock
        self._shipped = shipped

    async def list(self, tasks: Sequence[str] = ()) -> tuple[CatalogueEntry, ...]:
        """The models that are good for any of these tasks, whatever the case; all where none is named.

        Raises:
            Invalid: a task is not known; the choices are told.
        """
        of_tasks((), tasks)  # before the database is asked
        async with self._units.reading() as unit:
            added = await unit.catalogue_models.list()
        return of_tasks(merged(self._shipped(), added), tasks)

    async def find(self, provider: str, name: str) -> CatalogueEntry | None:
        """What is known of a model; ``None`` of one that is not offered."""
        found = [entry for entry in await self.list() if entry.key == (provider, name)]
        return found[0] if found else None

    async def put(self, actor: Actor, entry: CatalogueEntry) -> bool:
        """Adds a model, or puts it in the place of the one of its provider and name, shipped or added.

        Returns:
            Whether no such model was offered.

        Raises:
            Forbidden: `actor` is no superuser.
        """
        require_superuser(actor)
        is_new = await self.find(*entry.key) is None
        await self._keep(actor, entry.evolve(origin=Origin.ADDED, hidden=False), "model.put")
        return is_new

    async def remove(self, actor: Actor, provider: str, name: str) -> None:
        """Takes a model out of the catalogue: one that was added is deleted, so that the shipped one whose
        place it took is offered again; a shipped one is hidden until it is restored.

        Raises:
            NotFound: no such model is offered.
            Forbidden: `actor` is no superuser.
        """
        require_superuser(actor)
        entry = await self.find(provider, name)
        if entry is None:
            raise NotFound.of("model", f"{provider}/{name}")
        if entry.origin is Origin.ADDED:
            await self._forget(actor, entry.key, "model.remove")
        else:
            await self._keep(actor, entry.evolve(origin=Origin.ADDED, hidden=True), "model.hide")

    async def restore(self, actor: Actor, provider: str, name: str) -> CatalogueEntry:
        """Offers a shipped model as it is shipped, whether it was hidden or another took its place.

        Raises:
            NotFound: tracker ships no such model.
            Forbidden: `actor` is no superuser.
        """
        require_superuser(actor)
        for entry in self._shipped():
            if entry.key == (provider, name):
                await self._forget(actor, entry.key, "model.restore")
                return entry
        raise NotFound.of("model", f"{provider}/{name}")

    async def _keep(self, actor: Actor, entry: CatalogueEntry, what: str) -> None:
        async with self._units.writing() as unit:
            await unit.catalogue_models.put(entry)
            await record(unit, actor, what, "model", "/".join(entry.key), at=self._clock.now())
            await unit.commit()

    async def _forget(self, actor: Actor, key: tuple[str, str], what: str) -> None:
        async with self._units.writing() as unit:
            if await unit.catalogue_models.delete(key):
                await record(unit, actor, what, "model", "/".join(key), at=self._clock.now())
                await unit.commit()
