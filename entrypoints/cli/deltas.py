"""Values beside what they are compared with."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from tracker.domain.experiments.features import FeaturesDiff, dotted
from tracker.domain.json_tree import thaw
from tracker.domain.metrics.aggregation import improvement
from tracker.domain.projects.project import MetricDefinition, Project
from tracker.domain.search.found import metric_key

from .cells import Cell, Head, missing
from .text import number

__all__ = [
    "changes_heads",
    "changes_rows",
    "definitions",
    "delta_cell",
    "plain_changes",
    "value_cell",
    "value_text",
]


def definitions(project: Project) -> Mapping[str, MetricDefinition]:
    """What the project tracks, by how tables call it."""
    return {metric_key(each.name, each.label): each for each in project.metrics}


def value_cell(value: float | None) -> Cell:
    """A value that may be missing."""
    return missing() if value is None else Cell(number(value))


def delta_cell(definition: MetricDefinition | None, value: float | None, before: float | None) -> Cell:
    """The difference, and whether it is for the better, if somebody said which way is better."""
    if value is None or before is None:
        return missing()
    delta = value - before
    text = f"{delta:+.4g}" if delta else "0"
    if definition is None or not delta or math.isnan(delta):
        return Cell(text)
    return Cell(text, "better" if improvement(definition, value, before) > 0 else "worse")


def value_text(value: Any) -> str:
    """A parameter or a leaf of features: texts as they are, everything else as JSON has it."""
    return value if isinstance(value, str) else json.dumps(thaw(value), ensure_ascii=False)


def changes_heads(before: str, after: str) -> tuple[Head, ...]:
    """The heads of a table of changes."""
    return Head(""), Head(before, may_shrink=True), Head(""), Head(after, may_shrink=True)


def changes_rows(changes: FeaturesDiff, prefix: str = "") -> list[tuple[Cell, ...]]:
    """A row for each leaf that differs, by name: before, arrow, after."""
    rows = {path: (missing(), Cell(value_text(value), "better")) for path, value in changes.added.items()}
    rows |= {path: (Cell(value_text(value), "worse"), missing()) for path, value in changes.removed.items()}
    rows |= {
        path: (Cell(value_text(old), "worse"), Cell(value_text(new), "better"))
        for path, (old, new) in changes.changed.items()
    }
    named = sorted((prefix + dotted(path), old, new) for path, (old, new) in rows.items())
    return [(Cell(name), old, Cell("→", "faint"), new) for name, old, new in named]


def plain_changes(changes: FeaturesDiff) -> dict[str, Any]:
    """The same for programs, with dotted paths."""
    return {
        "added": {dotted(path): thaw(value) for path, value in changes.added.items()},
        "removed": {dotted(path): thaw(value) for path, value in changes.removed.items()},
        "changed": {dotted(path): thaw(pair) for path, pair in changes.changed.items()},
    }
