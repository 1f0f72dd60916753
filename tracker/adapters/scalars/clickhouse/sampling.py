"""Samples of series in ClickHouse: short ones are thinned here, long ones by the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from clickhouse_connect.driver.client import Client

from tracker.adapters.scalars.clickhouse.asking import POINTS, columns
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.scalars.downsampling import Thinned, bucket_count, bucket_width, thin
from tracker.domain.scalars.series import SampledSeries, SampleQuery, TimeWindow

__all__ = ["sample"]

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_LONG = 20_000  # points: above, sending them costs more than having the server choose
_POINTS_AT_ONCE = 1_000_000
_POINTS_A_BUCKET = 4

_INSIDE = f"""{POINTS} AND step BETWEEN {{first_step:Int64}} AND {{last_step:Int64}}
  AND time BETWEEN {{first_time:Int64}} AND {{last_time:Int64}}"""
_EXTENTS = """
SELECT experiment, name, count(), min({along}), max({along}), max(arrival) {inside}
  AND experiment IN {{experiments:Array(UUID)}} {and_names} GROUP BY experiment, name"""

_WHOLE = f"""
SELECT name, step, time, value {_INSIDE} AND experiment = {{experiment:UUID}}
  AND name IN {{names:Array(String)}} AND arrival <= {{arrival:UInt64}} ORDER BY name, step, arrival"""
_COLUMNS = {"name": object, "step": np.int64, "time": np.int64, "value": np.float64}

# The choice of tracker.domain.scalars.downsampling: in each bucket the first and the last point along the
# axis, and the first of the lowest and of the highest finite ones. Distances are unsigned, as they are there.
_CHOICE = """
WITH toUInt64({along}) - toUInt64({{low:Int64}}) AS distance, ({along}, step, arrival) AS place,
  (step, arrival, time, value) AS chosen
SELECT min({along}), max({along}), count(), countIf(isFinite(value)),
  argMinIf(chosen, (-value, place), isFinite(value)), argMinIf(chosen, (value, place), isFinite(value)),
  argMax(chosen, place), argMin(chosen, place)
{inside} AND {along} BETWEEN {{low:Int64}} AND {{high:Int64}}
  AND experiment = {{experiment:UUID}} AND name = {{name:String}} AND arrival <= {{arrival:UInt64}}
GROUP BY least(intDiv(distance, {{width:UInt64}}), {{count:UInt64}} - 1) AS bucket ORDER BY bucket"""


class _Extent(NamedTuple):
    """How long a series is inside the window, and where it begins and ends on the axis."""

    experiment_id: ExperimentId
    name: str
    points: int
    low: int
    high: int
    arrival: int


def sample(client: Client, project_id: ProjectId, query: SampleQuery) -> tuple[SampledSeries, ...]:
    """See the port."""
    asked = {"project": project_id, **_bounds(query)}
    if asked["first_step"] > asked["last_step"] or asked["first_time"] > asked["last_time"]:
        return ()
    by_run: dict[ExperimentId, list[_Extent]] = {}
    for extent in _extents(client, query, asked):
        by_run.setdefault(extent.experiment_id, []).append(extent)
    return tuple(
        SampledSeries(experiment_id=run, name=name, **thinned._asdict())
        for run in query.experiments
        if run in by_run
        for name, thinned in _thinned(client, sorted(by_run[run], key=lambda one: one.name), query, asked)
    )


def _bounds(query: SampleQuery) -> dict[str, Any]:
    """The steps and times that are asked for, both ends included."""
    window = query.window
    return {
        "first_step": _LOWEST if query.start is None else max(query.start, _LOWEST),
        "last_step": _HIGHEST if query.stop is None else min(query.stop - 1, _HIGHEST),
        "first_time": _LOWEST if window.start is None else max(window.start, _LOWEST),
        "last_time": _HIGHEST if window.stop is None else min(window.stop, _HIGHEST),
    }


def _extents(client: Client, query: SampleQuery, asked: dict[str, Any]) -> Iterator[_Extent]:
    named = query.names is not None
    # Without bounds the question is put so that the summaries answer it.
    unbounded = (query.start, query.stop, query.window) == (None, None, TimeWindow())
    text = _EXTENTS.format(
        along=query.axis.value,
        inside=POINTS if unbounded else _INSIDE,
        and_names="AND name IN {names:Array(String)}" if named else "",
    )
    parameters = {**asked, "experiments": list(query.experiments), "names": list(query.names or ())}
    return (_Extent(*row) for row in client.query(text, parameters=parameters).result_rows)


def _thinned(
    client: Client, extents: Sequence[_Extent], query: SampleQuery, asked: dict[str, Any]
) -> Iterator[tuple[str, Thinned]]:
    short: list[_Extent] = []
    for extent in extents:
        is_long = query.max_points is not None and extent.points > max(query.max_points, _LONG)
        full = sum(one.points for one in short) + extent.points > _POINTS_AT_ONCE
        if short and (is_long or full):
            yield from _thinned_here(client, short, query, asked)
            short = []
        if is_long:
            yield extent.name, _thinned_there(client, extent, query, asked)
        else:
            short.append(extent)
    if short:
        yield from _thinned_here(client, short, query, asked)


def _thinned_here(
    client: Client, extents: Sequence[_Extent], query: SampleQuery, asked: dict[str, Any]
) -> Iterator[tuple[str, Thinned]]:
    parameters = {
        **asked,
        "experiment": extents[0].experiment_id,
        "names": [one.name for one in extents],
        "arrival": max(one.arrival for one in extents),
    }
    name, step, time, value = columns(client, _WHOLE, parameters, _COLUMNS)
    if len(name) == 0:
        return  # deleted meanwhile
    starts = [0, *(np.flatnonzero(name[1:] != name[:-1]) + 1).tolist(), len(name)]
    for begin, end in pairwise(starts):
        rows = slice(begin, end)
        yield name[begin], thin(step[rows], time[rows], value[rows], query.max_points, query.axis)


def _thinned_there(client: Client, extent: _Extent, query: SampleQuery, asked: dict[str, Any]) -> Thinned:
    max_points = query.max_points or 0
    count = bucket_count(max_points)
    parameters = {
        **asked,
        **extent._asdict(),
        "experiment": extent.experiment_id,
        "count": count,
        "width": bucket_width(extent.high - extent.low, count),
    }
    text = _CHOICE.format(along=query.axis.value, inside=_INSIDE)
    rows = client.query(text, parameters=parameters).result_rows
    chosen: dict[int, tuple[int, int, int, float]] = {}  # by arrival, which tells points apart
    for _, _, _, finite, highest, lowest, last, first in rows:
        for point in (highest, lowest, last, first) if finite else (last, first):
            chosen.setdefault(point[1], point)
    kept = list(chosen.values())[: max_points if max_points < _POINTS_A_BUCKET else None]
    kept.sort(key=lambda point: point[:2])
    step, _, time, value = zip(*kept, strict=True)
    begin, end, points, finite = (np.array(column, np.int64) for column in list(zip(*rows, strict=True))[:4])
    return Thinned(
        np.array(step, np.int64),
        np.array(time, np.int64),
        np.array(value, np.float64),
        int(points.sum()),
        begin,
        (begin / 2 + end / 2)[finite < points],
    )
