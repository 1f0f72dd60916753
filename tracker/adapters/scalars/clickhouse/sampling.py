"""Samples of series in ClickHouse: short ones are thinned here, long ones by the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from clickhouse_connect.driver.client import Client

from tracker.adapters.scalars.clickhouse.asking import POINTS, columns
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.scalars.downsampling import Thinned, bucket_count, bucket_width, extremes, thin
from tracker.domain.scalars.series import Axis, SampledSeries, SampleQuery, TimeWindow

__all__ = ["sample"]

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_LONG = 20_000  # points: above, sending them costs more than having the server choose
_POINTS_AT_ONCE = 1_000_000

_INSIDE = f"""{POINTS} AND step BETWEEN {{first_step:Int64}} AND {{last_step:Int64}}
  AND time BETWEEN {{first_time:Int64}} AND {{last_time:Int64}}"""
_EXTENTS = """
SELECT experiment, name, count(), min({along}), max({along}), max(arrival) {inside}
  AND experiment IN {{experiments:Array(UUID)}} {and_names} GROUP BY experiment, name"""

_WHOLE = f"""
SELECT name, step, time, value {_INSIDE} AND experiment = {{experiment:UUID}}
  AND name IN {{names:Array(String)}} AND arrival <= {{arrival:UInt64}} ORDER BY name, step, arrival"""
_COLUMNS = {"name": object, "step": np.int64, "time": np.int64, "value": np.float64}

# Of each bucket the points that may be chosen: those at its ends on the axis, and those with its lowest and
# highest finite value. Comparing tuples in the server to choose among equals takes ten times as long.
# Distances are unsigned, as in tracker.domain.scalars.downsampling, since they need not fit into an Int64.
_OWN = """{inside} AND {along} BETWEEN {{low:Int64}} AND {{high:Int64}} AND experiment = {{experiment:UUID}}
  AND name = {{name:String}} AND arrival <= {{arrival:UInt64}}"""
_BUCKET = (
    """least(intDiv(toUInt64({along}) - toUInt64({{low:Int64}}), {{width:UInt64}}), {{count:UInt64}} - 1)"""
)
_CANDIDATES = f"""
SELECT step, time, value, arrival, bucket, points, finite
FROM (SELECT step, time, value, arrival, {_BUCKET} AS bucket {_OWN}) AS point
INNER JOIN (SELECT {_BUCKET} AS bucket, count() AS points, countIf(isFinite(value)) AS finite,
  min({{along}}) AS first, max({{along}}) AS last, minIf(value, isFinite(value)) AS lowest,
  maxIf(value, isFinite(value)) AS highest {_OWN} GROUP BY bucket) AS whole USING bucket
WHERE point.{{along}} IN (first, last) OR finite > 0 AND value IN (lowest, highest)
ORDER BY point.{{along}}, step, arrival"""  # noqa: S608 - constants
_CANDIDATE_COLUMNS = {
    "step": np.int64,
    "time": np.int64,
    "value": np.float64,
    "arrival": np.uint64,
    "bucket": np.uint64,
    "points": np.int64,
    "finite": np.int64,
}


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
            thinned = _thinned_there(client, extent, query, asked)
            if thinned is not None:
                yield extent.name, thinned
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


def _thinned_there(
    client: Client, extent: _Extent, query: SampleQuery, asked: dict[str, Any]
) -> Thinned | None:
    max_points = query.max_points or 0
    count = bucket_count(max_points)
    parameters = {
        **asked,
        **extent._asdict(),
        "experiment": extent.experiment_id,
        "count": count,
        "width": bucket_width(extent.high - extent.low, count),
    }
    text = _CANDIDATES.format(along=query.axis.value, inside=_INSIDE)
    step, time, value, arrival, bucket, points, finite = columns(client, text, parameters, _CANDIDATE_COLUMNS)
    if not len(value):
        return None  # deleted meanwhile
    starts = np.flatnonzero(np.append(True, bucket[1:] != bucket[:-1]))
    rows = extremes(value, np.isfinite(value), starts, max_points)
    rows = rows[np.lexsort((arrival[rows], step[rows]))]
    along = step if query.axis is Axis.STEP else time
    begin, end = along[starts], along[np.append(starts[1:], len(along)) - 1]
    holes = finite[starts] < points[starts]
    total = int(points[starts].sum())
    return Thinned(step[rows], time[rows], value[rows], total, begin, (begin / 2 + end / 2)[holes])
