"""Time series on the wire, in snake_case."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, NotRequired
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.batch import StepTags
from tracker.domain.scalars.record import ScalarRecord
from tracker.domain.scalars.series import SampledSeries, TimeWindow

from .wire import Bounded64, Closed, LabelText, MetricNameText, WireNumber

__all__ = [
    "LastLoggedIn", "LastLoggedOut", "LoggedOut", "ProjectScalarsQuery", "ScalarsBatchIn", "ScalarsIn",
    "ScalarsOut", "ScalarsQuery", "experiment_scalars", "tags_out",
]  # fmt: skip

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class ScalarsIn(Closed):
    """Values of some scalars at one step."""

    scalars: dict[MetricNameText, WireNumber]
    step: Bounded64
    tags: Annotated[list[LabelText], Field(max_length=100)] | None = None
    time: Annotated[int, Field(strict=True, ge=0, lt=2**53)] | None = Field(
        default=None, description="When it was measured, microseconds since 1970 UTC; else when it arrives"
    )

    def record(self) -> ScalarRecord:
        """The domain's value."""
        values = {name: float(value) for name, value in self.scalars.items()}
        time = None if self.time is None else _EPOCH + _MICROSECOND * self.time
        return ScalarRecord(step=self.step, values=values, tags=tuple(self.tags or ()), time=time)


class ScalarsBatchIn(Closed):
    """Many steps at once, kept together or not at all."""

    scalars: Annotated[list[ScalarsIn], Field(max_length=100_000)]
    batch_id: UUID | None = Field(
        default=None, description="The same id again changes nothing, so that a retry is safe"
    )


class ScalarsQuery(Closed):
    """Which points, and how many a series."""

    max_points: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    return_tags: bool = False
    start_time: datetime | None = None
    end_time: datetime | None = None

    def window(self) -> TimeWindow:
        """The time asked for; a time without a zone is UTC."""
        return TimeWindow(start=_microseconds(self.start_time), stop=_microseconds(self.end_time))


class ProjectScalarsQuery(ScalarsQuery):
    """The same, of some of a project's experiments."""

    experiment_id: Annotated[list[UUID], Field(max_length=1000)] = Field(default=[])


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


class LastLoggedRow(TypedDict):
    """When an experiment last got a point."""

    experiment_id: UUID
    last_modified: datetime


class LastLoggedOut(TypedDict):
    """One row for each experiment that has points."""

    data: list[LastLoggedRow]


def experiment_scalars(series: Iterable[SampledSeries]) -> dict[ExperimentId, ExperimentScalarsOut]:
    """Curves by experiment, experiments in the order in which they first come."""
    found: dict[ExperimentId, ExperimentScalarsOut] = {}
    for one in series:
        entry = found.setdefault(one.experiment_id, {"experiment_id": one.experiment_id, "scalars": {}})
        entry["scalars"][one.name] = {"x": one.step.tolist(), "y": one.value.tolist()}
    return found


def tags_out(tags: Iterable[StepTags]) -> list[StepTagsOut]:
    """Tags as the API shows them."""
    return [{"step": t.step, "scalar_names": list(t.names), "tags": list(t.tags)} for t in tags]


def _microseconds(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND
