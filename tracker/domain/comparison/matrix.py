"""A project's experiments by its metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tracker.domain.comparison.metrics import MetricKey, improvement
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId
from tracker.domain.projects.project import Direction, Project
from tracker.domain.search.found import FoundExperiment, metric_key

__all__ = ["Matrix", "MatrixCell", "MatrixColumn", "MatrixRow", "columns_of", "matrix_row"]


class MatrixColumn(NamedTuple):
    """A metric of the table.

    Attributes:
        direction: which way is better; ``None`` when the project does not track it.
        best: the best finite value of all that the filter finds, on other pages too; ``None`` without a
            direction or a value.
    """

    name: str
    label: str | None
    direction: Direction | None
    best: float | None

    @property
    def key(self) -> str:
        """``name`` or ``name[label]``."""
        return metric_key(self.name, self.label)


class MatrixCell(NamedTuple):
    """One experiment by one metric.

    Attributes:
        value: what it is judged by; ``None`` when it has none.
        is_best: whether nothing that the filter finds is better.
        parent_delta, baseline_delta: by how much it is better than its parent and than the baseline (of a
            metric without a direction: larger); ``None`` where there is nothing to compare.
    """

    value: float | None
    is_best: bool
    parent_delta: float | None
    baseline_delta: float | None


class MatrixRow(NamedTuple):
    """One experiment; its cells are in the order of the columns."""

    id: ExperimentId
    name: str
    status: Status
    parent_id: ExperimentId | None
    cells: tuple[MatrixCell, ...]


class Matrix(NamedTuple):
    """A page of the table.

    Attributes:
        columns: the metrics that the project shows, else those that it tracks; none to whom may see none.
        rows: in the asked order.
        baseline_id: with what every row is compared, beside its parent.
        next_cursor: asks for the page behind it; ``None`` = there is none.
    """

    columns: tuple[MatrixColumn, ...]
    rows: tuple[MatrixRow, ...]
    baseline_id: ExperimentId | None
    next_cursor: str | None


def columns_of(project: Project) -> tuple[MatrixColumn, ...]:
    """The project's display metrics, under every label under which it tracks them; without any, all that it
    tracks. What is best is not known yet."""
    tracked = project.metrics
    chosen: list[MatrixColumn] = []
    for name in dict.fromkeys(project.settings.display_metrics):
        own = [
            MatrixColumn(each.name, each.label, each.direction, None) for each in tracked if each.name == name
        ]
        chosen += own or [MatrixColumn(name, None, None, None)]
    return tuple(chosen or [MatrixColumn(each.name, each.label, each.direction, None) for each in tracked])


def matrix_row(
    found: FoundExperiment,
    columns: Sequence[MatrixColumn],
    parent: Mapping[MetricKey, float],
    baseline: Mapping[MetricKey, float],
) -> MatrixRow:
    """One experiment of the table.

    Args:
        found: the experiment with its metrics.
        columns: which of them.
        parent: the parent's metrics; empty without one.
        baseline: those of the baseline; empty without one.
    """
    cells = []
    for column in columns:
        value, key = found.metrics.get(column.key), (column.name, column.label)
        deltas = (improvement(column.direction, value, other.get(key)) for other in (parent, baseline))
        cells.append(MatrixCell(value, column.best is not None and value == column.best, *deltas))
    return MatrixRow(found.id, found.name, found.status, found.parent_id, tuple(cells))
