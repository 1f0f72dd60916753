"""Batches of points, written briefly, for tests of time series."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

import numpy as np

from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.domain.scalars.series import Series, TimeWindow

__all__ = ["OPEN", "OTHER_RUN", "PROJECT", "RUN", "batch", "bits", "curve", "points"]

PROJECT = ProjectId(UUID(int=1))
RUN = ExperimentId(UUID(int=7))
OTHER_RUN = ExperimentId(UUID(int=8))
OPEN = TimeWindow()

Point = tuple[str, int, int, float]


def batch(*points: Point, run: ExperimentId = RUN, id: UUID | None = None, tags: Sequence[StepTags] = ()):
    """A batch of (name, step, time, value)."""
    names = tuple(dict.fromkeys(name for name, *_ in points))
    return ScalarBatch(
        id=BatchId(id or uuid4()),
        experiment_id=run,
        names=names,
        series=np.array([names.index(name) for name, *_ in points], np.int64),
        step=np.array([step for _, step, _, _ in points], np.int64),
        time=np.array([time for _, _, time, _ in points], np.int64),
        value=np.array([value for *_, value in points], np.float64),
        tags=tuple(tags),
    )


def curve(value: np.ndarray, *, run: ExperimentId = RUN, name: str = "loss", start: int = 0) -> ScalarBatch:
    """A batch of one series at steps `start`, `start` + 1, ..."""
    step = np.arange(start, start + len(value), dtype=np.int64)
    return ScalarBatch(
        id=BatchId(uuid4()),
        experiment_id=run,
        names=(name,),
        series=np.zeros(len(value), np.int64),
        step=step,
        time=step * 1000,
        value=np.asarray(value, np.float64),
    )


def points(series: Series) -> list[tuple[int, int, float]]:
    return list(zip(series.step.tolist(), series.time.tolist(), series.value.tolist(), strict=True))


def bits(value: np.ndarray) -> list[int]:
    return value.view(np.uint64).tolist()
