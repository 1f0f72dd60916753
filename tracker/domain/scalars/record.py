"""One call of a logging function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, AwareDatetime

from tracker.domain.frozen import Frozen
from tracker.domain.ids import BatchId, ExperimentId
from tracker.domain.numbers import Step
from tracker.domain.scalars.batch import ScalarBatch, StepTags, columns_of_records
from tracker.domain.text import MetricKey, Tag, all_storable

__all__ = ["LoggedRow", "ScalarRecord", "batch_of", "microseconds"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class LoggedRow(NamedTuple):
    """Values of some scalars at one step, as :func:`batch_of` takes them.

    Attributes:
        step: int64.
        values: by name.
        tags: put on this step of these scalars.
        time: microseconds since 1970-01-01 UTC; ``None`` = when it arrives.
    """

    step: int
    values: Mapping[str, float]
    tags: tuple[str, ...]
    time: int | None


class ScalarRecord(Frozen):
    """Values of some scalars at one step.

    Attributes:
        step: where on the x-axis.
        values: by name; NaN and infinities are data.
        tags: put on this step of these scalars.
        time: when it was measured; ``None`` = when it arrives.
    """

    step: Step
    values: Annotated[Mapping[MetricKey, float], AfterValidator(all_storable)]
    tags: tuple[Tag, ...] = ()
    time: AwareDatetime | None = None

    def row(self) -> LoggedRow:
        """The same with its time in microseconds."""
        time = None if self.time is None else microseconds(self.time)
        return LoggedRow(self.step, self.values, self.tags, time)


def microseconds(moment: datetime) -> int:
    """A moment as scalars keep it: whole microseconds since 1970-01-01 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def batch_of(
    rows: Sequence[LoggedRow], *, batch_id: BatchId, experiment_id: ExperimentId, now: datetime
) -> ScalarBatch:
    """The columns of rows in arrival order; one without a time was measured `now`.

    Raises:
        Invalid: a name or a tag cannot be kept.
    """
    arrived = microseconds(now)
    names, series, step, time, value = columns_of_records(
        [(row.step, arrived if row.time is None else row.time, row.values) for row in rows]
    )
    return ScalarBatch(
        id=batch_id,
        experiment_id=experiment_id,
        names=names,
        series=series,
        step=step,
        time=time,
        value=value,
        tags=tuple(
            StepTags(step=row.step, names=tuple(row.values), tags=row.tags) for row in rows if row.tags
        ),
    )
