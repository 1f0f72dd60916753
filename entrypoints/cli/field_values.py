"""The values of columns, each column at once, since some have to be asked for."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tracker.domain.errors import Forbidden, NotFound
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.features import dotted, leaves
from tracker.domain.ids import ProjectId
from tracker.domain.json_tree import thaw
from tracker.domain.projects.project import Project
from tracker.domain.search.found import FoundExperiment, metric_key
from tracker.domain.search.query import Attribute, Builtin, Column, Measure, Source, Which

from .experiment_keys import quoted, short_keys
from .fields import Field
from .searching import searched
from .text import number

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["duration", "readable", "span", "values_of"]

_AT_ONCE = 200  # ids in a filter, which is not endless

Rows = Sequence[FoundExperiment]


def duration(experiment: Experiment) -> float | None:
    """Seconds from start to end, or until now; ``None`` if it has not started."""
    if experiment.started_at is None:
        return None
    end = experiment.completed_at or datetime.now(UTC)
    return max(0.0, (end - experiment.started_at).total_seconds())


_PLAIN: Mapping[Builtin, Callable[[FoundExperiment], Any]] = {
    Builtin.ID: lambda row: str(row.id),
    Builtin.NAME: lambda row: row.name,
    Builtin.DESCRIPTION: lambda row: row.description,
    Builtin.STATUS: lambda row: row.status.value,
    Builtin.PROGRESS: lambda row: row.progress,
    Builtin.ORDER: lambda row: row.position,
    Builtin.CREATED: lambda row: row.created_at,
    Builtin.STARTED: lambda row: row.started_at,
    Builtin.COMPLETED: lambda row: row.completed_at,
    Builtin.DURATION: duration,
    Builtin.ENDED: lambda row: None if row.end_kind is None else row.end_kind.value,
    Builtin.REASON: lambda row: row.end_reason,
}


def values_of(library: Tracker, field: Field, rows: Rows, projects: Mapping[ProjectId, Project]) -> list[Any]:
    """The value of one column for each experiment; ``None`` where it has none.

    Args:
        library: where to look up what the experiments do not carry.
        field: the column.
        rows: the experiments.
        projects: theirs, by id.
    """
    operand = field.operand
    if isinstance(operand, Measure):
        if operand.which is Which.VALUE:
            key = metric_key(operand.name, operand.label)
            return [row.metrics.get(key) for row in rows]
        return _of_series(library, operand, rows)
    if isinstance(operand, Attribute):
        return [_attribute(operand, row) for row in rows]
    if operand is not None:
        if operand.field is Builtin.USER:
            return _people(library, rows)
        if operand.field is Builtin.PARENT:
            return _parents(library, rows)
        return [_PLAIN[operand.field](row) for row in rows]
    if field.title == "number":
        return list(short_keys(rows, projects))
    if field.title == "project":
        return [projects[row.project_id].name for row in rows]
    return [list(row.tags) for row in rows]


def readable(field: Field, value: Any) -> str:
    """A value that is there as a person reads it."""
    match value:
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
        case str():
            return value
        case bool() | int():
            return json.dumps(value)
        case float() if field.operand == Column(Builtin.DURATION):
            return span(value)
        case float():
            return number(value)
        case list() if field.operand is None:
            return ", ".join(value)
    return json.dumps(thaw(value), ensure_ascii=False)


def span(seconds: float) -> str:
    """A duration in the two largest units that it has."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    for unit, size, below, smaller in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // smaller} {below}"
    return f"{whole} s"


def _attribute(operand: Attribute, row: FoundExperiment) -> Any:
    if operand.source is Source.PARAMS:
        return row.params.get(operand.path)
    found = {dotted(path): value for path, value in leaves(row.features)}
    return found.get(operand.path)


def _of_series(library: Tracker, operand: Measure, rows: Rows) -> list[float | None]:
    """The last, lowest or highest number of a series, or of the final values where there is no series."""
    known: dict[UUID, float] = {}
    by_project: dict[UUID, list[UUID]] = {}
    for row in rows:
        by_project.setdefault(row.project_id, []).append(row.id)
    for project_id, ids in by_project.items() if operand.label is None else ():
        for each in library.scalars.summary(project_id, ids, [operand.name]):
            known[each.experiment_id] = getattr(each, f"{operand.which}_value")
    key = metric_key(operand.name, operand.label)
    return [
        known[row.id] if row.id in known
        else _of_finals(library, operand, row) if key in row.metrics
        else None
        for row in rows
    ]  # fmt: skip


def _of_finals(library: Tracker, operand: Measure, row: FoundExperiment) -> float | None:
    finals = [
        each
        for each in library.metrics.list(row.id)
        if (each.name, each.label) == (operand.name, operand.label)
    ]
    if not finals:
        return None
    if operand.which is Which.LAST:
        return max(finals, key=lambda each: each.step).value
    values = [each.value for each in finals if math.isfinite(each.value)]
    return (min if operand.which is Which.MIN else max)(values, default=math.nan)


def _people(library: Tracker, rows: Rows) -> list[str | None]:
    """E-mail addresses where they may be seen, else ids."""
    names: dict[UUID | None, str | None] = {None: None}
    for row in rows:
        if row.created_by not in names and row.created_by is not None:
            try:
                names[row.created_by] = library.users.get(row.created_by).email
            except (Forbidden, NotFound):
                names[row.created_by] = str(row.created_by)
    return [names[row.created_by] for row in rows]


def _parents(library: Tracker, rows: Rows) -> list[str | None]:
    names = {row.id: row.name for row in rows}
    wanted = [str(key) for key in dict.fromkeys(row.parent_id for row in rows) if key and key not in names]
    for start in range(0, len(wanted), _AT_ONCE):
        listed = ", ".join(map(quoted, wanted[start : start + _AT_ONCE]))
        names |= {row.id: row.name for row in searched(library, None, f"id in ({listed})", "")}
    return [names.get(row.parent_id) if row.parent_id else None for row in rows]
