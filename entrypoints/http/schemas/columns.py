"""Typed columns on the wire: the columnar bulk route."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import numpy as np
from pydantic import AfterValidator, Field, WithJsonSchema
from typing_extensions import TypedDict

from tracker.domain.ids import BatchId, ExperimentId
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.domain.scalars.record import microseconds
from tracker.domain.text import all_storable
from tracker.scalars_wire import float_column, int_column

from .wire import Bounded64, Closed, LabelText, MetricKeyText, MetricNameText

__all__ = ["AppendedOut", "ColumnsIn", "FloatColumn", "IntColumn"]


def _column_schema(description: str) -> WithJsonSchema:
    part = {"oneOf": [{"type": "string"}, {"type": "string", "format": "binary"}]}
    return WithJsonSchema(
        {"type": "array", "items": part, "minItems": 2, "maxItems": 2, "description": description}
    )


IntColumn = Annotated[
    Any, AfterValidator(int_column), _column_schema("[type, bytes], type i1 i2 i4 i8 u1 u2 or u4")
]
FloatColumn = Annotated[Any, AfterValidator(float_column), _column_schema("[type, bytes], type f4 or f8")]


class StepTagsIn(Closed):
    """Tags put on scalars at one step."""

    step: Bounded64
    scalar_names: list[MetricNameText]
    tags: Annotated[list[LabelText], Field(min_length=1, max_length=100)]


class ColumnsIn(Closed):
    """Points as columns of equal length, kept together or not at all."""

    names: Annotated[list[MetricKeyText], Field(max_length=100_000), AfterValidator(all_storable)]
    series: Annotated[
        IntColumn, Field(description="Index into `names` of each point; needless when there is one name")
    ] = None
    step: IntColumn
    time: Annotated[
        IntColumn, Field(description="Microseconds since 1970 UTC; else when the body arrives")
    ] = None
    value: FloatColumn
    tags: Annotated[list[StepTagsIn], Field(max_length=100_000)] = Field(default=[])
    batch_id: (
        Annotated[UUID, Field(description="The same id again changes nothing, so that a retry is safe")]
        | None
    ) = None

    def batch(self, experiment_id: ExperimentId, *, now: datetime, new_id: Callable[[], UUID]) -> ScalarBatch:
        """The domain's value.

        Raises:
            Invalid: the columns do not fit together.
        """
        count = len(self.value)
        return ScalarBatch(
            id=BatchId(self.batch_id or new_id()),
            experiment_id=experiment_id,
            names=tuple(self.names),
            series=np.zeros(count, np.int64) if self.series is None else self.series,
            step=self.step,
            time=np.full(count, microseconds(now), np.int64) if self.time is None else self.time,
            value=self.value,
            tags=tuple(
                StepTags(step=each.step, names=tuple(each.scalar_names), tags=tuple(each.tags))
                for each in self.tags
            ),
        )


class AppendedOut(TypedDict):
    """The points are durable."""

    status: Literal["logged"]
    points: int
