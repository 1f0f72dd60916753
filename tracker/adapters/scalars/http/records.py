"""Between columns and the records and curves of the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import numpy as np

from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.domain.scalars.series import Series, SeriesSummary

__all__ = ["inside", "records_of", "series_of", "summary_of"]

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


def records_of(batch: ScalarBatch) -> list[dict[str, Any]]:
    """The points in arrival order, neighbours of one step as one record, and the tags on them."""
    records: list[dict[str, Any]] = []
    points = zip(batch.series.tolist(), batch.step.tolist(), batch.value.tolist(), strict=True)
    for series, step, value in points:
        name = batch.names[series]
        if not records or records[-1]["step"] != step or name in records[-1]["scalars"]:
            records.append({"scalars": {}, "step": step})
        records[-1]["scalars"][name] = value
    for tags in batch.tags:
        _tagged(records, tags)
    return records


def _tagged(records: list[dict[str, Any]], tags: StepTags) -> None:
    """Puts tags on the record that fits their names best; without one, on a record of their own."""
    fitting = [r for r in records if r["step"] == tags.step and r["scalars"].keys() >= set(tags.names)]
    if fitting and tags.names:
        record = min(fitting, key=lambda each: len(each["scalars"]))
    else:
        records.append(record := {"scalars": {}, "step": tags.step})
    record["tags"] = [*record.get("tags", ()), *tags.tags]


def series_of(entry: Mapping[str, Any]) -> Iterator[Series]:
    """The curves of one experiment by (step, arrival); their times are not told and stay 0."""
    experiment_id = ExperimentId(UUID(entry["experiment_id"]))
    for name, curve in entry["scalars"].items():
        step = np.array(curve["x"], np.int64)
        value = np.array(curve["y"], np.float64)  # numpy reads "NaN" and "Infinity" as well
        order = np.argsort(step, kind="stable")
        yield Series(
            experiment_id=experiment_id,
            name=name,
            step=step[order],
            time=np.zeros(len(step), np.int64),
            value=value[order],
        )


def inside(series: Series, start: int | None, stop: int | None) -> Series:
    """The points with ``start <= step < stop``."""
    low = _LOWEST if start is None else start
    last = _HIGHEST if stop is None else stop - 1
    # Python's own numbers: an edge need not fit into an int64.
    keep = np.array([low <= step <= last for step in series.step.tolist()], np.bool_)
    return series.evolve(step=series.step[keep], time=series.time[keep], value=series.value[keep])


def summary_of(series: Series, modified: int) -> SeriesSummary:
    """The summary row of a series that has points; of its times only the experiment's last is known."""
    finite = series.value[np.isfinite(series.value)]
    return SeriesSummary(
        experiment_id=series.experiment_id,
        name=series.name,
        count=len(series),
        non_finite=len(series) - len(finite),
        first_step=int(series.step[0]),
        last_step=int(series.step[-1]),
        last_time=modified,
        last_value=float(series.value[-1]),
        modified=modified,
        min_value=float(finite.min()) if len(finite) else None,
        max_value=float(finite.max()) if len(finite) else None,
    )
