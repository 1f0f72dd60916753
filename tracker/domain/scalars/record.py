"""One call of a logging function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

from tracker.domain.frozen import Frozen
from tracker.domain.ids import BatchId, ExperimentId
from tracker.domain.numbers import Step
from tracker.domain.scalars.batch import ScalarBatch, StepTags, columns_of_records
from tracker.domain.text import MetricKey, Tag, all_storable

__all__ = ["ScalarRecord", "batch_of", "microseconds"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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


def microseconds(moment: datetime) -> int:
    """A moment as scalars keep it: whole microseconds since 1970-01-01 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def batch_of(
    records: Sequence[ScalarRecord], *, batch_id: BatchId, experiment_id: ExperimentId, now: datetime
) -> ScalarBatch:
    """The columns of records in arrival order; one without a time was measured `now`."""
    arrived = microseconds(now)
    rows = [
        (record.step, arrived if record.time is None else microseconds(record.time), record.values)
        for record in records
    ]
    names, series, step, time, value = columns_of_records(rows)
    return ScalarBatch(
        id=batch_id,
        experiment_id=experiment_id,
        names=names,
        series=series,
        step=step,
        time=time,
        value=value,
        tags=tuple(
            StepTags(step=record.step, names=tuple(record.values), tags=record.tags)
            for record in records
            if record.tags
        ),
    )
