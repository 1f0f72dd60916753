"""One scalar over another: accuracy by epoch, loss by the tokens that were seen."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from tracker.domain.scalars.batch import Float64s
from tracker.domain.scalars.series import Series

__all__ = ["SeriesOver", "against"]


class SeriesOver(Series):
    """A series whose points have a place on another scalar's axis, by (step, arrival) as before.

    Attributes:
        x: float64 (n,), where each point stands; finite.
        axis: the name of the scalar that gives these places.
        inexact: how many points took the axis's value from an earlier step.
        left_out: how many points of the series came before the axis had a value; they are not here.
    """

    x: Float64s
    axis: str
    inexact: Annotated[int, Field(ge=0)]
    left_out: Annotated[int, Field(ge=0)]


def against(series: Series, axis: Series) -> SeriesOver:
    """The points of a series over another scalar of its experiment, joined by step.

    A point takes the value that the axis has at its own step (of several the one that arrived last),
    else the one at the last step before it. NaN and infinities are no places: there the axis has no
    value. A point before the axis's first value is left out, and counted.

    Args:
        series: by (step, arrival).
        axis: by (step, arrival).
    """
    finite = np.isfinite(axis.value)
    steps, places = axis.step[finite], axis.value[finite]
    # Behind all points of the axis that are not after this step, so the one before is the last of them.
    index = np.searchsorted(steps, series.step, side="right") - 1
    kept = index >= 0
    chosen = index[kept]
    return SeriesOver(
        experiment_id=series.experiment_id,
        name=series.name,
        step=series.step[kept],
        time=series.time[kept],
        value=series.value[kept],
        x=places[chosen],
        axis=axis.name,
        inexact=int(np.count_nonzero(steps[chosen] != series.step[kept])),
        left_out=int(np.count_nonzero(~kept)),
    )
