"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

__all__ = ["CodePointText", "CompactJson", "DigestBytes", "UtcDateTime"]

# PostgreSQL would sort by the cluster's locale; "C" is by code point, as SQLite and Python do it.
CodePointText = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware time in UTC. SQLite has no time zones and keeps the naive one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """To what the driver takes."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        """To an aware time."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class CompactJson(sa.types.TypeDecorator[Any]):
    """JSON that no query looks into, as text without spaces and escapes."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        """To text."""
        return None if value is None else _compact(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        """To dicts and lists."""
        return None if value is None else json.loads(value)


class DigestBytes(sa.types.TypeDecorator[str]):
    """A digest in hex, kept as its bytes: half as long, and it stands in several indexes."""

    impl = sa.LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> bytes | None:
        """To what the driver takes."""
        return None if value is None else bytes.fromhex(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> str | None:
        """To hex."""
        return None if value is None else bytes(value).hex()
