"""Whole series, summaries and tags out of ClickHouse."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from clickhouse_connect.driver.client import Client

from tracker.adapters.scalars.clickhouse.asking import ALIVE, POINTS, columns
from tracker.domain.errors import Invalid
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.scalars.batch import StepTags
from tracker.domain.scalars.series import News, Ranking, Series, SeriesSummary, TimeWindow

__all__ = ["read", "since", "summary", "tags", "top"]

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_CURSOR = re.compile(r"c([0-9]{1,18})")
_COLUMNS = {"step": np.int64, "time": np.int64, "value": np.float64}
_NEWS = {"name": object, **_COLUMNS, "block": np.int64}

# Every number is one of the projection's, so that this reads a row a series and part, and no points.
_SUMMARY = f"""
SELECT experiment, name, count() AS points, countIf(isFinite(value)) AS finite,
  min(step) AS first_step, max(step) AS last_step,
  argMax((time, value), (step, time, arrival)).1 AS last_time,
  argMax((time, value), (step, time, arrival)).2 AS last_value,
  max(time) AS modified, minIf(value, isFinite(value)) AS lowest, maxIf(value, isFinite(value)) AS highest
{POINTS}"""

_RANKS = {
    Ranking.LAST: "NOT isNaN(last_value) ORDER BY last_value",
    Ranking.MIN: "finite > 0 ORDER BY lowest",
    Ranking.MAX: "finite > 0 ORDER BY highest",
}


def read(
    client: Client,
    project_id: ProjectId,
    experiment_id: ExperimentId,
    name: str,
    *,
    start: int | None,
    stop: int | None,
) -> Series:
    """The points of a series with ``start <= step < stop``, by (step, arrival)."""
    low = _LOWEST if start is None else max(start, _LOWEST)
    last = _HIGHEST if stop is None else min(stop - 1, _HIGHEST)
    if low > last:
        step, time, value = (np.empty(0, dtype) for dtype in _COLUMNS.values())
    else:
        step, time, value = columns(
            client,
            f"SELECT step, time, value {POINTS} AND experiment = {{experiment:UUID}}"
            " AND name = {name:String} AND step BETWEEN {low:Int64} AND {last:Int64} ORDER BY step, arrival",
            {"project": project_id, "experiment": experiment_id, "name": name, "low": low, "last": last},
            _COLUMNS,
        )
    return Series(experiment_id=experiment_id, name=name, step=step, time=time, value=value)


def since(
    client: Client,
    project_id: ProjectId,
    experiment_id: ExperimentId,
    cursor: str | None,
    names: Collection[str] | None,
) -> News:
    """See the port. A cursor is the number of the last block of the experiment's points that was seen."""
    asked = {"project": project_id, "experiment": experiment_id}
    latest = client.query(
        # Of the marks too: they stay when points move elsewhere.
        "SELECT max(_block_number) FROM scalars WHERE project = {project:UUID} AND kind != 'tags'"  # noqa: S608
        f" AND experiment = {{experiment:UUID}} {ALIVE}",
        parameters=asked,
    ).result_rows[0][0]
    seen = 0 if cursor is None else _seen(cursor, latest)
    query = (
        f"SELECT toLowCardinality(name) AS name, step, time, value, _block_number AS block {POINTS}"
        " AND experiment = {experiment:UUID} AND block > {seen:UInt64} AND block <= {latest:UInt64}"
    )
    if names is not None:
        query += " AND name IN {names:Array(String)}"
    name, step, time, value, _ = columns(
        client,
        f"{query} ORDER BY name, step, arrival",
        {**asked, "seen": seen, "latest": latest, "names": list(names or ())},
        _NEWS,
    )
    starts = [0, *(np.flatnonzero(name[1:] != name[:-1]) + 1).tolist(), len(name)] if len(name) else []
    series = (
        Series(
            experiment_id=experiment_id,
            name=name[begin],
            step=step[begin:end],
            time=time[begin:end],
            value=value[begin:end],
        )
        for begin, end in pairwise(starts)
    )
    return News(tuple(series), f"c{latest}")


def summary(
    client: Client,
    project_id: ProjectId,
    experiments: Collection[ExperimentId] | None,
    names: Collection[str] | None,
    settings: Mapping[str, object] | None = None,
) -> tuple[SeriesSummary, ...]:
    """See the port; `settings` are ClickHouse's, of the query."""
    query, parameters = _SUMMARY, dict[str, object](project=project_id)
    if experiments is not None:
        query += " AND experiment IN {experiments:Array(UUID)}"
        parameters["experiments"] = list(experiments)
    if names is not None:
        query += " AND name IN {names:Array(String)}"
        parameters["names"] = list(names)
    # By text: ClickHouse orders UUIDs by their second half first.
    query = f"{query} GROUP BY experiment, name ORDER BY toString(experiment), name"
    rows = client.query(query, parameters=parameters, settings=dict(settings or {})).result_rows
    return tuple(map(_row, rows))


def top(
    client: Client, project_id: ProjectId, name: str, *, by: Ranking, k: int, descending: bool
) -> tuple[SeriesSummary, ...]:
    """See the port."""
    direction = "DESC" if descending else "ASC"
    rows = client.query(
        f"{_SUMMARY} AND name = {{name:String}} GROUP BY experiment, name"
        f" HAVING {_RANKS[by]} {direction}, toString(experiment) LIMIT {{k:UInt64}}",
        parameters={"project": project_id, "name": name, "k": min(max(k, 0), _HIGHEST)},
    ).result_rows
    return tuple(map(_row, rows))


def tags(
    client: Client, project_id: ProjectId, experiment_id: ExperimentId, window: TimeWindow
) -> tuple[StepTags, ...]:
    """See the port. Tags of a batch without points lie in no bounded window."""
    rows = client.query(
        "SELECT step, text FROM scalars WHERE project = {project:UUID} AND kind = 'tags'"  # noqa: S608
        f" AND experiment = {{experiment:UUID}} {ALIVE} ORDER BY step, arrival",
        parameters={"project": project_id, "experiment": experiment_id},
    ).result_rows
    found = ((step, json.loads(text)) for step, text in rows)
    return tuple(
        StepTags(step=step, names=tuple(put["names"]), tags=tuple(put["tags"]))
        for step, put in found
        if _inside(put["time"], window)
    )


def _seen(cursor: str, latest: int) -> int:
    found = _CURSOR.fullmatch(cursor)
    if found is None or int(found[1]) > latest:
        raise Invalid.field("cursor", "is none that was given for this experiment", "cursor")
    return int(found[1])


def _row(row: Any) -> SeriesSummary:
    experiment, name, count, finite, first_step, last_step, time, value, modified, lowest, highest = row
    return SeriesSummary(
        experiment_id=ExperimentId(experiment),
        name=name,
        count=count,
        non_finite=count - finite,
        first_step=first_step,
        last_step=last_step,
        last_time=time,
        last_value=value,
        modified=modified,
        min_value=lowest if finite else None,
        max_value=highest if finite else None,
    )


def _inside(time: int | None, window: TimeWindow) -> bool:
    mask = window.mask(np.array([] if time is None else [time], np.int64))
    return mask is None or bool(mask.any())
