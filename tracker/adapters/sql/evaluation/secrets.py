"""Sealed secrets of users, and models that were added to the catalogue, in SQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from tracker.adapters.sql.evaluation_tables import catalogue_models, evaluation_secrets
from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.session import Row, Session
from tracker.adapters.sql.upserting import insert_into
from tracker.domain.evaluation.models import CatalogueEntry, ModelReference, Origin
from tracker.domain.evaluation.secrets import SealedSecret, Secret
from tracker.domain.evaluation.tasks import TaskKind
from tracker.domain.ids import UserId

__all__ = ["SqlModelRepository", "SqlSecretRepository"]

_KNOWN = [evaluation_secrets.c[name] for name in Secret.model_fields]
_SEALED = [evaluation_secrets.c[name] for name in SealedSecret.model_fields]
_KEY = (evaluation_secrets.c.owner_id, evaluation_secrets.c.name)


class SqlSecretRepository:
    """Keeps the port :class:`tracker.ports.evaluation.secrets.SecretRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._add = insert_into(evaluation_secrets, session.dialect).on_conflict_do_nothing(
            index_elements=_KEY
        )

    async def put(self, owner_id: UserId, secret: Secret, sealed: SealedSecret) -> bool:
        """Keeps one."""
        columns = {**sealed.__dict__, **secret.__dict__, "owner_id": owner_id}
        with inserting("secret", secret.name):
            if await self._session.run(self._add, [columns]):
                return True
            del columns["created_at"]
            columns["version"] = evaluation_secrets.c.version + 1
            statement = sa.update(evaluation_secrets).where(*_is(owner_id, secret.name))
            await self._session.run(statement.values(columns))
        return False

    async def list(self, owner_id: UserId) -> tuple[Secret, ...]:
        """A user's, by name."""
        mine = evaluation_secrets.c.owner_id == owner_id
        rows = await self._session.rows(sa.select(*_KNOWN).where(mine).order_by(evaluation_secrets.c.name))
        return tuple(Secret(**row._mapping) for row in rows)

    async def sealed(self, owner_id: UserId, name: str) -> SealedSecret | None:
        """The value as it is kept."""
        rows = await self._session.rows(sa.select(*_SEALED).where(*_is(owner_id, name)))
        return SealedSecret(**rows[0]._mapping) if rows else None

    async def delete(self, owner_id: UserId, name: str) -> bool:
        """Removes one."""
        statement = sa.delete(evaluation_secrets).where(*_is(owner_id, name))
        return await self._session.run(statement) > 0

    async def under_other_keys(self, key_id: str, limit: int) -> tuple[tuple[UserId, SealedSecret], ...]:
        """Some, by owner and name."""
        statement = (
            sa.select(evaluation_secrets.c.owner_id, *_SEALED)
            .where(evaluation_secrets.c.key_id != key_id)
            .order_by(*_KEY)
            .limit(limit)
        )
        rows = await self._session.rows(statement)
        return tuple((row.owner_id, SealedSecret(**_without_owner(row))) for row in rows)

    async def reseal(self, owner_id: UserId, old: SealedSecret, new: SealedSecret) -> bool:
        """Puts another in the place of one."""
        same = [evaluation_secrets.c[name] == value for name, value in old.__dict__.items()]
        statement = sa.update(evaluation_secrets).where(evaluation_secrets.c.owner_id == owner_id, *same)
        return await self._session.run(statement.values(new.__dict__)) > 0


class SqlModelRepository:
    """Keeps the port :class:`tracker.ports.evaluation.models.ModelRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._add = insert_into(catalogue_models, session.dialect).on_conflict_do_nothing(
            index_elements=[catalogue_models.c.provider, catalogue_models.c.name]
        )

    async def put(self, entry: CatalogueEntry) -> bool:
        """Keeps one."""
        kept = entry.model_dump(mode="json")
        provider, name = entry.key
        if await self._session.run(self._add, [{"provider": provider, "name": name, "entry": kept}]):
            return True
        statement = sa.update(catalogue_models).where(*_named(entry.key))
        await self._session.run(statement.values(entry=kept))
        return False

    async def list(self) -> tuple[CatalogueEntry, ...]:
        """All, by key."""
        by_key = (catalogue_models.c.provider, catalogue_models.c.name)
        rows = await self._session.rows(sa.select(catalogue_models.c.entry).order_by(*by_key))
        return tuple(map(_entry, rows))

    async def delete(self, key: tuple[str, str]) -> bool:
        """Removes one."""
        return await self._session.run(sa.delete(catalogue_models).where(*_named(key))) > 0


def _is(owner_id: UserId, name: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (evaluation_secrets.c.owner_id == owner_id, evaluation_secrets.c.name == name)


def _without_owner(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name != "owner_id"}


def _named(key: tuple[str, str]) -> tuple[sa.ColumnElement[bool], ...]:
    return (catalogue_models.c.provider == key[0], catalogue_models.c.name == key[1])


def _entry(row: Row) -> CatalogueEntry:
    kept = row.entry
    return CatalogueEntry(
        **{
            **kept,
            "model": ModelReference(**kept["model"]),
            "tasks": tuple(map(TaskKind, kept["tasks"])),
            "requirements": tuple(kept["requirements"]),
            "origin": Origin(kept["origin"]),
        }
    )
