"""Where models that users added to the catalogue are kept."""

from __future__ import annotations

from typing import Protocol

from tracker.domain.evaluation.models import CatalogueEntry

__all__ = ["ModelRepository"]


class ModelRepository(Protocol):
    """Models of this installation beside those that tracker ships with."""

    async def put(self, entry: CatalogueEntry) -> bool:
        """Keeps it; one of the same key is replaced. Whether it is new."""
        ...

    async def list(self) -> tuple[CatalogueEntry, ...]:
        """All of them, by key (by code point)."""
        ...

    async def delete(self, key: tuple[str, str]) -> bool:
        """Removes the one of this provider and name; whether it was there."""
        ...
