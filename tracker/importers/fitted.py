"""A run with everything in the form that tracker keeps it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tracker.importers.fitting import Fitting
from tracker.importers.records import FinalValue, LeftOut, Points, SourceRun

__all__ = ["final", "fitted"]


def fitted(run: SourceRun) -> SourceRun:
    """`run` within the limits of tracker; its `left_out` tells of all that had to give."""
    fitting = Fitting()
    fits = replace(
        run,
        project=fitting.name(run.project),
        name=fitting.name(run.name),
        description=fitting.description(run.description),
        params=fitting.params(run.params),
        tags=fitting.tags(run.tags),
        series=_series(run.series, fitting),
        metrics=tuple(
            replace(each, name=fitting.scalar(each.name)) for each in run.metrics if math.isfinite(each.value)
        ),
    )
    odd = tuple(
        LeftOut(f"final value {each.name}", f"is {each.value}, which no final value may be")
        for each in run.metrics
        if not math.isfinite(each.value)
    )
    return replace(fits, left_out=(*run.left_out, *fitting.left_out, *odd))


def _series(series: Mapping[str, Points], fitting: Fitting) -> dict[str, Points]:
    return {fitting.scalar(name): points for name, points in series.items()}


def final(values: Mapping[str, Any]) -> tuple[FinalValue, ...]:
    """Final values out of a flat mapping; what is no number is passed over."""
    return tuple(
        FinalValue(name, float(value))
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    )
