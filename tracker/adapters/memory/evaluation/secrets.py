"""Sealed secrets of users, and models that were added to the catalogue, in memory."""

from __future__ import annotations

from tracker.adapters.memory.evaluation.forgetting import require_user
from tracker.adapters.memory.state import Current
from tracker.domain.evaluation.models import CatalogueEntry
from tracker.domain.evaluation.secrets import SealedSecret, Secret
from tracker.domain.ids import UserId

__all__ = ["MemoryModelRepository", "MemorySecretRepository"]


class MemorySecretRepository:
    """Keeps the port :class:`tracker.ports.evaluation.secrets.SecretRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def put(self, owner_id: UserId, secret: Secret, sealed: SealedSecret) -> bool:
        """Keeps one."""
        state = self._current.state
        require_user(state, "secret", secret.name, owner_id)
        require_user(state, "secret", secret.name, secret.updated_by)
        present = state.evaluation_secrets.get((owner_id, secret.name))
        if present is not None:
            secret = secret.evolve(created_at=present[0].created_at, version=present[0].version + 1)
        state.evaluation_secrets[owner_id, secret.name] = secret, sealed
        return present is None

    async def list(self, owner_id: UserId) -> tuple[Secret, ...]:
        """A user's, by name."""
        kept = self._current.state.evaluation_secrets
        found = [secret for (owner, _), (secret, _) in kept.items() if owner == owner_id]
        return tuple(sorted(found, key=lambda secret: secret.name))

    async def sealed(self, owner_id: UserId, name: str) -> SealedSecret | None:
        """The value as it is kept."""
        present = self._current.state.evaluation_secrets.get((owner_id, name))
        return None if present is None else present[1]

    async def delete(self, owner_id: UserId, name: str) -> bool:
        """Removes one."""
        return self._current.state.evaluation_secrets.pop((owner_id, name), None) is not None

    async def under_other_keys(self, key_id: str, limit: int) -> tuple[tuple[UserId, SealedSecret], ...]:
        """Some, by owner and name."""
        kept = sorted(self._current.state.evaluation_secrets.items(), key=lambda item: item[0])
        found = [(owner, sealed) for (owner, _), (_, sealed) in kept if not sealed.is_under(key_id)]
        return tuple(found[:limit])

    async def reseal(self, owner_id: UserId, old: SealedSecret, new: SealedSecret) -> bool:
        """Puts another in the place of one."""
        kept = self._current.state.evaluation_secrets
        present = kept.get((owner_id, old.name))
        if present is None or present[1] != old:
            return False
        kept[owner_id, old.name] = present[0], new
        return True


class MemoryModelRepository:
    """Keeps the port :class:`tracker.ports.evaluation.models.ModelRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def put(self, entry: CatalogueEntry) -> bool:
        """Keeps one."""
        kept = self._current.state.catalogue_models
        is_new = entry.key not in kept
        kept[entry.key] = entry
        return is_new

    async def list(self) -> tuple[CatalogueEntry, ...]:
        """All, by key."""
        return tuple(entry for _, entry in sorted(self._current.state.catalogue_models.items(), key=_key))

    async def delete(self, key: tuple[str, str]) -> bool:
        """Removes one."""
        return self._current.state.catalogue_models.pop(key, None) is not None


def _key(item: tuple[tuple[str, str], CatalogueEntry]) -> tuple[str, str]:
    return item[0]
