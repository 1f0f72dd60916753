"""Further parents, authors, what a search looks at, saved queries, and hypotheses.

Revision: 0003
Revises: 0002
"""

from __future__ import annotations

import json
import math
import uuid
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
_BY_AGE = "ix_experiments_project_id_created_at_id"
_NEW = (
    "decisions", "hypothesis_queries", "hypothesis_experiments", "hypotheses", "saved_queries",
    "metric_summaries", "attributes", "search_fields", "merges",
)  # fmt: skip


def _reference(table: str, column: str, to: str, action: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}", ondelete=action)


def upgrade() -> None:
    """Creates the new tables, and fills those that are derived from what is there."""
    with op.batch_alter_table("experiments") as experiments:
        experiments.add_column(sa.Column("created_by", sa.Uuid))
        experiments.create_foreign_key(
            "fk_experiments_created_by_users", "users", ["created_by"], ["id"], ondelete="SET NULL"
        )
        experiments.create_index("ix_experiments_created_by", ["created_by"])
        experiments.create_index(_BY_AGE, ["project_id", "created_at", "id"])
    _pairs("merges", ("experiment_id", "experiments"), ("parent_id", "experiments"))
    _search()
    _hypotheses()
    _fill()
    op.execute("UPDATE db_metadata SET version = 3 WHERE id = 1")


def _pairs(table: str, *columns: tuple[str, str]) -> None:
    names = [name for name, _ in columns]
    op.create_table(
        table,
        *(sa.Column(name, sa.Uuid, nullable=False) for name in names),
        sa.PrimaryKeyConstraint(*names, name=f"pk_{table}"),
        *(_reference(table, name, to) for name, to in columns),
    )
    op.create_index(f"ix_{table}_{names[1]}", table, [names[1]])


def _search() -> None:
    op.create_table(
        "search_fields",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("project_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_search_fields"),
        _reference("search_fields", "project_id", "projects"),
        sa.UniqueConstraint(
            "project_id", "kind", "path", "label", name="uq_search_fields_project_id_kind_path_label"
        ),
    )
    _values("attributes", sa.Column("type", sa.Text, nullable=False), sa.Column("number", sa.Double),
            sa.Column("text", TEXT), indexed="number")  # fmt: skip
    _values(
        "metric_summaries",
        *(sa.Column(name, sa.Double) for name in ("value", "last", "min", "max")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("finals", "points")),
        indexed="value",
    )
    op.create_table(
        "saved_queries",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("project_id", sa.Uuid, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("filter", sa.Text, nullable=False),
        sa.Column("order_by", sa.Text, nullable=False),
        sa.Column("author_id", sa.Uuid),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_saved_queries"),
        _reference("saved_queries", "project_id", "projects"),
        _reference("saved_queries", "author_id", "users", "SET NULL"),
        sa.UniqueConstraint("project_id", "name", name="uq_saved_queries_project_id_name"),
    )
    op.create_index("ix_saved_queries_author_id", "saved_queries", ["author_id"])


def _values(table: str, *columns: sa.Column[Any], indexed: str) -> None:
    op.create_table(
        table,
        sa.Column("experiment_id", sa.Uuid, nullable=False),
        sa.Column("field_id", sa.Integer, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("experiment_id", "field_id", name=f"pk_{table}"),
        _reference(table, "experiment_id", "experiments"),
        _reference(table, "field_id", "search_fields"),
    )
    op.create_index(
        f"ix_{table}_field_id_{indexed}_experiment_id", table, ["field_id", indexed, "experiment_id"]
    )


def _hypotheses() -> None:
    op.create_table(
        "hypotheses",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("project_id", sa.Uuid, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("author_id", sa.Uuid),
        sa.Column("targets", sa.JSON, nullable=False),
        sa.Column("baseline", sa.Text, nullable=False),
        sa.Column("threshold", sa.Double, nullable=False),
        sa.Column("alpha", sa.Double, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hypotheses"),
        _reference("hypotheses", "project_id", "projects"),
        _reference("hypotheses", "author_id", "users", "SET NULL"),
    )
    for column in ("project_id", "author_id", "created_at"):
        op.create_index(f"ix_hypotheses_{column}", "hypotheses", [column])
    _pairs("hypothesis_experiments", ("hypothesis_id", "hypotheses"), ("experiment_id", "experiments"))
    _pairs("hypothesis_queries", ("hypothesis_id", "hypotheses"), ("query_id", "saved_queries"))
    op.create_table(
        "decisions",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("hypothesis_id", sa.Uuid, nullable=False),
        sa.Column("status", sa.Text),
        sa.Column("computed", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("author_id", sa.Uuid),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        _reference("decisions", "hypothesis_id", "hypotheses"),
        _reference("decisions", "author_id", "users", "SET NULL"),
    )
    for column in ("hypothesis_id", "author_id"):
        op.create_index(f"ix_decisions_{column}", "decisions", [column])


# The filling. What it derives is what the code of this schema derives; later code has migrations of its own.
_PROJECTS = sa.table("projects", sa.column("id", sa.Uuid), sa.column("metrics", sa.JSON))
_EXPERIMENTS = sa.table(
    "experiments", sa.column("id", sa.Uuid), sa.column("project_id", sa.Uuid),
    sa.column("features", sa.JSON), sa.column("params", sa.JSON), sa.column("tags", sa.JSON),
)  # fmt: skip
_METRICS = sa.table(
    "metrics", sa.column("experiment_id", sa.Uuid), sa.column("name", TEXT), sa.column("label", TEXT),
    sa.column("step", sa.BigInteger), sa.column("value", sa.Double),
)  # fmt: skip
_FIELDS = sa.table(
    "search_fields", sa.column("id", sa.Integer), sa.column("project_id", sa.Uuid),
    sa.column("kind", sa.Text), sa.column("path", TEXT), sa.column("label", TEXT),
)  # fmt: skip
_ATTRIBUTES = sa.table(
    "attributes", sa.column("experiment_id", sa.Uuid), sa.column("field_id", sa.Integer),
    sa.column("type", sa.Text), sa.column("number", sa.Double), sa.column("text", TEXT),
)  # fmt: skip
_SUMMARIES = sa.table(
    "metric_summaries", sa.column("experiment_id", sa.Uuid), sa.column("field_id", sa.Integer),
    *(sa.column(name, sa.Double) for name in ("value", "last", "min", "max")),
    sa.column("finals", sa.BigInteger), sa.column("points", sa.BigInteger),
)  # fmt: skip
_Key = tuple[uuid.UUID, str, str, str]


def _fill() -> None:
    """Project by project, so that no more than one is in memory at once."""
    connection = op.get_bind()
    last = 0
    for project in connection.execute(sa.select(_PROJECTS)).all():
        last = _fill_project(connection, project, last)
    if last and connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT setval('search_fields_id_seq', :last)"), {"last": last})


def _fill_project(connection: sa.Connection, project: Any, last: int) -> int:
    """Numbers the fields of a project from one more than `last`, and gives the last number."""
    known: dict[_Key, int] = {}

    def field(*key: Any) -> int:
        return known.setdefault(key, last + len(known) + 1)

    rows: list[dict[str, Any]] = []
    runs = sa.select(_EXPERIMENTS).where(_EXPERIMENTS.c.project_id == project.id)
    for run in connection.execute(runs):
        said = {field(project.id, kind, path, ""): value for kind, path, value in _said(run)}
        rows += [{"experiment_id": run.id, "field_id": key, **value} for key, value in said.items()]
    summaries = _summaries(connection, project, field)
    names = ("project_id", "kind", "path", "label")
    new = [{"id": number, **dict(zip(names, key, strict=True))} for key, number in known.items()]
    for table, found in ((_FIELDS, new), (_ATTRIBUTES, rows), (_SUMMARIES, summaries)):
        for start in range(0, len(found), 10_000):
            connection.execute(sa.insert(table), found[start : start + 10_000])
    return last + len(known)


def _said(run: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, value in run.params.items():
        if value is not None:
            yield "params", path, _typed(value)
    for path, value in _leaves(run.features):
        if value is not None:
            yield "features", ".".join(path), _typed(value)
    for tag in run.tags:
        yield "tags", tag, {"type": "tag", "number": None, "text": None}


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    named = _by_name(value)
    if named:
        value = named
    if isinstance(value, dict) and (value or not path):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    else:
        yield path, value


def _by_name(value: Any) -> dict[str, Any] | None:
    """An array of objects that are told apart by their names, by these."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return None
    names = [item.get("name") for item in value]
    if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        return None
    return {item["name"]: {key: part for key, part in item.items() if key != "name"} for item in value}


def _typed(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"type": "bool", "number": float(value), "text": None}
        case int() | float():
            return {"type": type(value).__name__, "number": float(value), "text": None}
        case str():
            return {"type": "text", "number": None, "text": value}
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return {"type": "json", "number": None, "text": text}


def _summaries(connection: sa.Connection, project: Any, field: Any) -> list[dict[str, Any]]:
    tracked = {(each["name"], each.get("label") or ""): each for each in project.metrics}
    values_of = (
        sa.select(_METRICS)
        .join(_EXPERIMENTS, _EXPERIMENTS.c.id == _METRICS.c.experiment_id)
        .where(_EXPERIMENTS.c.project_id == project.id)
        .order_by(_METRICS.c.step)
    )
    groups: dict[Any, list[float]] = defaultdict(list)
    for metric in connection.execute(values_of):
        groups[metric.experiment_id, metric.name, metric.label].append(metric.value)
    found = []
    for (experiment_id, name, label), values in groups.items():
        definition = tracked.get((name, label), {})
        best = min if definition.get("direction") == "minimize" else max
        average = math.fsum(value / len(values) for value in values)
        judged = {"last": values[-1], "best": best(values), "average": average}
        found.append({
            "experiment_id": experiment_id, "field_id": field(project.id, "metrics", name, label),
            "value": judged[definition.get("aggregation", "last")],
            "last": values[-1], "min": min(values), "max": max(values), "finals": len(values), "points": 0,
        })  # fmt: skip
    return found


def downgrade() -> None:
    """Drops what is new."""
    for table in _NEW:
        op.drop_table(table)
    with op.batch_alter_table("experiments") as experiments:
        experiments.drop_index(_BY_AGE)
        experiments.drop_index("ix_experiments_created_by")
        experiments.drop_constraint("fk_experiments_created_by_users", type_="foreignkey")
        experiments.drop_column("created_by")
    op.execute("UPDATE db_metadata SET version = 2 WHERE id = 1")
