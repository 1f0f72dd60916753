"""Time series on the wire, in snake_case."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, NotRequired
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field
from typing_extensions import TypedDict

from tracker.domain.ids import BatchId, ExperimentId
from tracker.domain.scalars.batch import StepTags
from tracker.domain.scalars.record import LoggedRow, microseconds
from tracker.domain.scalars.series import (
    Series,
    SeriesSummary,
)
from tracker.domain.text import all_storable

from .wire import WHOLE, Bounded64, Closed, LabelText, MetricKeyText, WireNumber

__all__ = [
    "ExperimentScalarsOut", "LastLoggedIn", "LastLoggedOut", "LastLoggedRow", "LoggedOut", "ScalarsBatchIn",
    "ScalarsIn", "ScalarsLogIn", "ScalarsOut", "SummaryOut", "experiment_scalars", "moment_of",
    "summary_row", "tags_out",
]  # fmt: skip

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def _in_utc(text: object) -> datetime:
    """ISO 8601 as a moment of UTC; a number, which pydantic would read as seconds, is none."""
    if not isinstance(text, str):
        raise ValueError("must be text")  # noqa: TRY004  (pydantic reports this one as a wrong field)
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as error:  # the first or last hours of the calendar, moved out of it by their zone
        raise ValueError("lies outside of the calendar") from error


WireTime = (
    Annotated[int, Field(strict=True, ge=0, lt=2**53), WHOLE] | Annotated[datetime, BeforeValidator(_in_utc)]
)


class ScalarsIn(Closed):
    """Values of some scalars at one step."""

    scalars: Annotated[dict[MetricKeyText, WireNumber], AfterValidator(all_storable)]
    step: Bounded64
    tags: Annotated[list[LabelText], Field(max_length=100)] | None = None
    time: WireTime | None = Field(
        default=None,
        description="When it was measured, in ISO 8601 (without a zone, UTC) or microseconds since 1970 UTC; "
        "else when it arrives",
    )

    def row(self) -> LoggedRow:
        """What a batch is made of, which looks at names and tags again."""
        values = {name: float(value) for name, value in self.scalars.items()}
        time = microseconds(self.time) if isinstance(self.time, datetime) else self.time
        return LoggedRow(self.step, values, tuple(self.tags or ()), time)


BatchIdIn = Annotated[
    BatchId, Field(description="The same id again changes nothing, so that a retry is safe")
]


class ScalarsLogIn(ScalarsIn):
    """One step, kept at once."""

    batch_id: BatchIdIn | None = None


class ScalarsBatchIn(Closed):
    """Many steps at once, kept together or not at all."""

    scalars: Annotated[list[ScalarsIn], Field(max_length=100_000)]
    batch_id: BatchIdIn | None = None


class LastLoggedIn(Closed):
    """Of which experiments; all when left out."""

    experiment_ids: Annotated[list[UUID], Field(max_length=100_000)] | None = None


class LoggedOut(TypedDict):
    """The points are durable."""

    status: Literal["logged"]
    warnings: NotRequired[list[str]]


class SeriesOut(TypedDict):
    """One curve."""

    x: list[int]
    y: list[WireNumber]
    t: NotRequired[list[int]]


class StepTagsOut(TypedDict):
    """Tags that were put on scalars at one step."""

    step: int
    scalar_names: list[str]
    tags: list[str]


class ExperimentScalarsOut(TypedDict):
    """The curves of one experiment."""

    experiment_id: UUID
    scalars: dict[str, SeriesOut]
    tags: NotRequired[list[StepTagsOut]]


class ScalarsOut(TypedDict):
    """Curves by experiment."""

    data: list[ExperimentScalarsOut]
    cursor: NotRequired[str]


class LastLoggedRow(TypedDict):
    """When an experiment last got a point."""

    experiment_id: UUID
    last_modified: datetime


class LastLoggedOut(TypedDict):
    """One row for each experiment that has points."""

    data: list[LastLoggedRow]


class SummaryRow(TypedDict):
    """One series in numbers; times are microseconds since 1970 UTC."""

    experiment_id: UUID
    name: str
    count: int
    non_finite: int
    first_step: int
    last_step: int
    last_time: int
    last_value: WireNumber
    modified: int
    min_value: float | None
    max_value: float | None


class SummaryOut(TypedDict):
    """One row for each series."""

    data: list[SummaryRow]


def experiment_scalars(
    series: Iterable[Series], *, times: bool = False
) -> dict[ExperimentId, ExperimentScalarsOut]:
    """Curves by experiment, experiments in the order in which they first come."""
    found: dict[ExperimentId, ExperimentScalarsOut] = {}
    for one in series:
        entry = found.setdefault(one.experiment_id, {"experiment_id": one.experiment_id, "scalars": {}})
        curve: SeriesOut = {"x": one.step.tolist(), "y": one.value.tolist()}
        entry["scalars"][one.name] = {**curve, "t": one.time.tolist()} if times else curve
    return found


def summary_row(row: SeriesSummary) -> SummaryRow:
    """A summary as the API shows it."""
    return {
        "experiment_id": row.experiment_id,
        "name": row.name,
        "count": row.count,
        "non_finite": row.non_finite,
        "first_step": row.first_step,
        "last_step": row.last_step,
        "last_time": row.last_time,
        "last_value": row.last_value,
        "modified": row.modified,
        "min_value": row.min_value,
        "max_value": row.max_value,
    }


def tags_out(tags: Iterable[StepTags]) -> list[StepTagsOut]:
    """Tags as the API shows them."""
    return [{"step": t.step, "scalar_names": list(t.names), "tags": list(t.tags)} for t in tags]


def moment_of(microseconds: int) -> datetime:
    """A time as scalars keep it, in UTC; what lies outside of the calendar becomes its end."""
    try:
        return _EPOCH + _MICROSECOND * microseconds
    except OverflowError:
        return _LAST if microseconds > 0 else _FIRST
