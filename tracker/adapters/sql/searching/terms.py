"""Expressions that mean the same on SQLite and PostgreSQL, and the same as in Python."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from tracker.adapters.sql.identity_tables import users
from tracker.adapters.sql.tables import experiments
from tracker.domain.search.query import Builtin

__all__ = ["among", "column_of", "is_nullable"]

Term = sa.ColumnElement[Any]

_COLUMNS = {
    Builtin.ID: experiments.c.id,
    Builtin.NAME: experiments.c.name,
    Builtin.PROGRESS: experiments.c.progress,
    Builtin.ORDER: sa.cast(experiments.c.position, sa.Double),
    Builtin.CREATED: experiments.c.created_at,
    Builtin.STARTED: experiments.c.started_at,
    Builtin.COMPLETED: experiments.c.completed_at,
    Builtin.PARENT: experiments.c.parent_id,
}
_TEXTS = {
    Builtin.DESCRIPTION: experiments.c.description,
    Builtin.STATUS: experiments.c.status,
    Builtin.ENDED: experiments.c.end_kind,
    Builtin.REASON: experiments.c.end_reason,
}
_NULLABLE = frozenset({
    Builtin.STARTED, Builtin.COMPLETED, Builtin.PARENT, Builtin.USER, Builtin.DURATION,
    Builtin.ENDED, Builtin.REASON,
})  # fmt: skip


class microseconds(FunctionElement[int]):
    """A time as whole microseconds since 1970-01-01 UTC."""

    inherit_cache = True
    type = sa.BigInteger()


@compiles(microseconds, "sqlite")
def _on_sqlite(element: microseconds, compiler: SQLCompiler, **kwargs: Any) -> str:
    # Times are text. The fraction is read apart: SQLite rounds it to milliseconds, and so the second.
    time = compiler.process(element.clauses, **kwargs)
    seconds = f"CAST(strftime('%s', substr({time}, 1, 19)) AS INTEGER)"
    return f"({seconds} * 1000000 + CAST(substr({time}, 21, 6) AS INTEGER))"


@compiles(microseconds, "postgresql")
def _on_postgres(element: microseconds, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"CAST(extract(epoch FROM {compiler.process(element.clauses, **kwargs)}) * 1000000 AS BIGINT)"


def column_of(field: Builtin, dialect: str, now: Any) -> Term:
    """The column, or what gives it, of a field that every experiment has.

    Args:
        field: which.
        dialect: of the database.
        now: the end of the duration of what has not ended.
    """
    if field in _COLUMNS:
        return _COLUMNS[field]
    if field is Builtin.DURATION:
        end = sa.func.coalesce(experiments.c.completed_at, sa.literal(now, experiments.c.created_at.type))
        lasted = microseconds(end) - microseconds(experiments.c.started_at)
        return sa.cast(lasted, sa.Double) / sa.literal(1e6, sa.Double)
    if field is Builtin.USER:
        mail = sa.select(users.c.email).where(users.c.id == experiments.c.created_by).scalar_subquery()
        return _by_code_point(mail, dialect)
    return _by_code_point(_TEXTS[field], dialect)


def is_nullable(field: Builtin) -> bool:
    """Whether an experiment may lack it."""
    return field in _NULLABLE


def _by_code_point(text: Term, dialect: str) -> Term:
    return sa.collate(text, "C") if dialect == "postgresql" else text


def among(column: Term, texts: Sequence[str], dialect: str) -> Term:
    """Whether a column is one of the texts, which may be very many: they are one parameter."""
    if dialect == "postgresql":
        listed = sa.bindparam(None, list(texts), type_=postgresql.ARRAY(sa.Text))
        return column == sa.any_(listed)
    values = sa.func.json_each(json.dumps(list(texts), ensure_ascii=False)).table_valued("value")
    return column.in_(sa.select(values.c.value))
