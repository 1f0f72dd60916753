"""What a run logs: columns of points, never one object a point."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from tracker.domain.frozen import Frozen
from tracker.domain.ids import BatchId, ExperimentId
from tracker.domain.numbers import Step
from tracker.domain.text import MetricName, MetricNames, Tag

__all__ = ["Float64s", "Int64s", "ScalarBatch", "StepTags", "columns_of_records"]


# arange lets another thread in, who then keeps Python for milliseconds; and most steps have few scalars.
_COUNTING = np.arange(1024)
_COUNTING.flags.writeable = False
_INT64, _FLOAT64 = np.dtype(np.int64), np.dtype(np.float64)


def _int64_column(column: NDArray[np.int64]) -> NDArray[np.int64]:
    return _column(column, _INT64)


def _float64_column(column: NDArray[np.float64]) -> NDArray[np.float64]:
    return _column(column, _FLOAT64)


def _column(column: NDArray, dtype: np.dtype) -> NDArray:  # type: ignore[type-arg]
    if column.dtype != dtype or column.ndim != 1:
        raise PydanticCustomError("column", f"must be a one-dimensional column of {dtype}")
    view = column.view()
    view.flags.writeable = False
    return view


Int64s = Annotated[NDArray[np.int64], AfterValidator(_int64_column)]
Float64s = Annotated[NDArray[np.float64], AfterValidator(_float64_column)]


class StepTags(Frozen):
    """Tags that were put on some scalars at one step."""

    step: Step
    names: tuple[MetricName, ...]
    tags: Annotated[tuple[Tag, ...], Field(min_length=1)]


class ScalarBatch(Frozen):
    """Points of one experiment that become durable together or not at all.

    Attributes:
        id: the same batch sent again is recognised by it and changes nothing.
        experiment_id: whose points they are.
        names: the scalars in the batch, each once.
        series: int64 (n,), index into `names` of each point.
        step: int64 (n,), any order, negative allowed, the same step twice allowed.
        time: int64 (n,), microseconds since 1970-01-01 UTC.
        value: float64 (n,), NaN and infinities are data.
        tags: what was put on steps.
    """

    id: BatchId
    experiment_id: ExperimentId
    names: MetricNames
    series: Int64s
    step: Int64s
    time: Int64s
    value: Float64s
    tags: tuple[StepTags, ...] = ()

    @model_validator(mode="after")
    def _columns_fit_together(self) -> Self:
        if not len(self.series) == len(self.step) == len(self.time) == len(self.value):
            raise PydanticCustomError("columns_length", "columns differ in length")
        if len(set(self.names)) != len(self.names):
            raise PydanticCustomError("names_unique", "names: the same name stands twice")
        # As unsigned numbers negative ones are large, so one comparison does.
        if len(self.series) and self.series.view(np.uint64).max() >= len(self.names):
            raise PydanticCustomError("series_range", "series: an index is outside of names")
        return self

    def __len__(self) -> int:
        return len(self.value)

    def part(self, start: int, stop: int, *, id: BatchId) -> Self:
        """The points from `start` up to `stop`, in arrival order, as a batch of its own without tags."""
        used, series = np.unique(self.series[start:stop], return_inverse=True)
        return type(self)(
            id=id,
            experiment_id=self.experiment_id,
            names=tuple(self.names[index] for index in used),
            series=series.astype(np.int64),
            step=self.step[start:stop],
            time=self.time[start:stop],
            value=self.value[start:stop],
        )

    def split(self) -> Iterator[tuple[str, Int64s, Int64s, Float64s]]:
        """Each scalar that has points: its name, steps, times and values in arrival order."""
        if len(self.names) == 1:
            if len(self):
                yield self.names[0], self.step, self.time, self.value
            return
        order = np.argsort(self.series, kind="stable")
        bounds = np.searchsorted(self.series[order], np.arange(len(self.names) + 1))
        for index, name in enumerate(self.names):
            rows = order[bounds[index] : bounds[index + 1]]
            if len(rows):
                yield name, self.step[rows], self.time[rows], self.value[rows]


def columns_of_records(
    records: Sequence[tuple[int, int, Mapping[str, float]]],
) -> tuple[tuple[str, ...], Int64s, Int64s, Int64s, Float64s]:
    """Turns rows as people log them into the columns of a batch.

    Args:
        records: (step, time in microseconds, values by name), in arrival order.

    Returns:
        names, series, step, time, value as in :class:`ScalarBatch`.
    """
    if len(records) == 1:
        ((at, moment, only),) = records
        count = len(only)
        return (
            tuple(only),
            _COUNTING[:count] if count <= len(_COUNTING) else np.arange(count),
            np.full(count, at, np.int64),
            np.full(count, moment, np.int64),
            np.fromiter(only.values(), np.float64, count),
        )
    index: dict[str, int] = {}
    for _, _, values in records:
        for name in values:
            index.setdefault(name, len(index))
    widths = [len(values) for _, _, values in records]
    return (
        tuple(index),
        _from_iter((index[name] for _, _, values in records for name in values), np.int64),
        np.repeat(np.array([step for step, _, _ in records], np.int64), widths),
        np.repeat(np.array([time for _, time, _ in records], np.int64), widths),
        _from_iter((value for _, _, values in records for value in values.values()), np.float64),
    )


def _from_iter(items: Iterable[float], dtype: type[np.generic]) -> NDArray:  # type: ignore[type-arg]
    return np.fromiter(items, dtype)
