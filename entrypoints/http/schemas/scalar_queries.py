"""What can be asked about time series."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.record import microseconds
from tracker.domain.scalars.series import Axis, Ranking, SampleQuery, TimeWindow

from .wire import Closed, MetricNameText, absent

__all__ = [
    "MOST_JSON", "ExperimentScalarsQuery", "ProjectScalarsQuery", "ScalarsQuery", "SummaryQuery", "TopQuery",
]  # fmt: skip

MOST_JSON, MOST_COLUMNS = 1_000_000, 20_000_000
"""Points a series that one answer may have, by its media type."""

StepText = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]


class ScalarsQuery(Closed):
    """Which points, and how many a series."""

    max_points: Annotated[
        int, Field(ge=1, le=MOST_COLUMNS, description=f"A series; in JSON at most {MOST_JSON}")
    ] = 1000
    return_tags: bool = False
    return_times: Annotated[bool, Field(description="Adds `t`: microseconds since 1970 UTC")] = False
    start_time: datetime | None = None
    end_time: datetime | None = None
    name: Annotated[list[MetricNameText], Field(max_length=100, description="Only these scalars")] = Field(
        default=[]
    )
    start_step: Annotated[StepText, Field(description="First step; a shorter range has finer buckets")] = (
        absent()
    )
    stop_step: Annotated[StepText, Field(description="First step after the range")] = absent()
    axis: Annotated[Axis, Field(description="Along which buckets are cut")] = Axis.STEP

    def window(self) -> TimeWindow:
        """The time asked for; a time without a zone is UTC."""
        return TimeWindow(start=_microseconds(self.start_time), stop=_microseconds(self.end_time))

    def sample(self, experiments: Iterable[UUID], *, thinned: bool = True) -> SampleQuery:
        """The domain's question about these experiments."""
        return SampleQuery(
            experiments=tuple(dict.fromkeys(ExperimentId(each) for each in experiments)),
            names=tuple(self.name) or None,
            max_points=self.max_points if thinned else None,
            axis=self.axis,
            start=self.start_step,
            stop=self.stop_step,
            window=self.window(),
        )


class ExperimentScalarsQuery(ScalarsQuery):
    """The same, or what is new."""

    since: (
        Annotated[
            str,
            Field(
                max_length=64,
                description="Only what came after this cursor, and the next one; empty = everything",
            ),
        ]
        | None
    ) = None
    return_cursor: Annotated[
        bool,
        Field(description="Adds a `cursor` for `since`; what came while it was answered may come again"),
    ] = False


class ProjectScalarsQuery(ScalarsQuery):
    """The same, of some of a project's experiments."""

    experiment_id: Annotated[list[UUID], Field(max_length=1000)] = Field(default=[])


class SummaryQuery(Closed):
    """Which experiments and scalars; all when left out."""

    # Both together must fit into the request line that the server reads (64 KiB).
    experiment_id: Annotated[list[UUID], Field(max_length=200)] = Field(default=[])
    name: Annotated[list[MetricNameText], Field(max_length=10)] = Field(default=[])


class TopQuery(Closed):
    """Which series rank, and by what."""

    name: MetricNameText
    by: Ranking = Ranking.LAST
    k: Annotated[int, Field(ge=1, le=1000)] = 10
    descending: bool = True


def _microseconds(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    return microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
