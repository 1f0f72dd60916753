"""Answers from a scalars file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

import numpy as np

from tracker.adapters.scalars.embedded.columns import Columns, empty, join
from tracker.adapters.scalars.embedded.folding import chunk_columns, tail_of
from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.batch import StepTags
from tracker.domain.scalars.downsampling import thin
from tracker.domain.scalars.series import Ranking, SampledSeries, SampleQuery, SeriesSummary, TimeWindow

__all__ = ["read", "sample", "summary", "tags", "top"]

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_ROWS = """SELECT e.uuid, s.name, s.count, s.non_finite, s.first_step, s.last_step, s.last_time, s.last_bits,
  s.modified, s.min_value, s.max_value FROM series s JOIN experiment e ON e.id = s.experiment"""
_RANKS = {Ranking.LAST: "s.last_value", Ranking.MIN: "s.min_value", Ranking.MAX: "s.max_value"}


def read(
    connection: sqlite3.Connection,
    experiment_id: ExperimentId,
    name: str,
    start: int | None,
    stop: int | None,
) -> Columns:
    """The points of a series with ``start <= step < stop``, by (step, arrival)."""
    found = connection.execute(
        "SELECT s.id, s.experiment, s.in_tail FROM series s JOIN experiment e ON e.id = s.experiment"
        " WHERE e.uuid=? AND s.name=?",
        (experiment_id.bytes, name),
    ).fetchone()
    low = _LOWEST if start is None else start
    last = _HIGHEST if stop is None else stop - 1
    if found is None or low > last or low > _HIGHEST or last < _LOWEST:
        return empty()
    series, experiment, in_tail = found
    low, last = max(low, _LOWEST), min(last, _HIGHEST)
    tail = tail_of(connection, experiment) if in_tail else {}
    points = _points(connection, series, tail, low, last)
    first = int(np.searchsorted(points.step, low, side="left"))
    return points.take(slice(first, int(np.searchsorted(points.step, last, side="right"))))


def sample(connection: sqlite3.Connection, query: SampleQuery) -> tuple[SampledSeries, ...]:
    """See the port."""
    return tuple(
        sampled
        for experiment_id in query.experiments
        for name, points in _series_of(connection, experiment_id, query.names)
        if (sampled := _sampled(experiment_id, name, points, query)) is not None
    )


def summary(
    connection: sqlite3.Connection,
    experiments: Collection[ExperimentId] | None,
    names: Collection[str] | None,
) -> tuple[SeriesSummary, ...]:
    """See the port."""
    # Lists go in as one JSON parameter: SQLite's number of parameters is limited.
    asked = None if experiments is None else json.dumps([one.hex for one in experiments])
    wanted = None if names is None else json.dumps(list(names))
    rows = connection.execute(
        _ROWS + " WHERE (?1 IS NULL OR lower(hex(e.uuid)) IN (SELECT value FROM json_each(?1)))"  # noqa: S608 - constants
        " AND (?2 IS NULL OR s.name IN (SELECT value FROM json_each(?2))) ORDER BY e.uuid, s.name",
        (asked, wanted),
    )
    return tuple(_summary(*row) for row in rows)


def top(
    connection: sqlite3.Connection, name: str, by: Ranking, k: int, descending: bool
) -> tuple[SeriesSummary, ...]:
    """See the port."""
    rank, direction = _RANKS[by], "DESC" if descending else "ASC"
    rows = connection.execute(
        f"{_ROWS} WHERE s.name=? AND {rank} IS NOT NULL ORDER BY {rank} {direction}, e.uuid LIMIT ?",
        (name, min(max(k, 0), _HIGHEST)),
    )
    return tuple(_summary(*row) for row in rows)


def tags(
    connection: sqlite3.Connection, experiment_id: ExperimentId, window: TimeWindow
) -> tuple[StepTags, ...]:
    """See the port. Tags of a batch without points lie in no bounded window."""
    rows = connection.execute(
        "SELECT t.time, t.step, t.names, t.tags FROM tag t JOIN experiment e ON e.id = t.experiment"
        " WHERE e.uuid=? ORDER BY t.step, t.id",
        (experiment_id.bytes,),
    )
    return tuple(
        StepTags(step=step, names=tuple(json.loads(names)), tags=tuple(json.loads(put)))
        for time, step, names, put in rows
        if _inside(time, window)
    )


def _series_of(
    connection: sqlite3.Connection, experiment_id: ExperimentId, names: tuple[str, ...] | None
) -> Iterator[tuple[str, Columns]]:
    rows = connection.execute(
        "SELECT s.id, s.experiment, s.name FROM series s JOIN experiment e ON e.id = s.experiment"
        " WHERE e.uuid=? ORDER BY s.name",
        (experiment_id.bytes,),
    ).fetchall()
    wanted = None if names is None else set(names)
    tail = tail_of(connection, rows[0][1]) if rows else {}
    for series, _, name in rows:
        if wanted is None or name in wanted:
            yield name, _points(connection, series, tail, _LOWEST, _HIGHEST)


def _points(
    connection: sqlite3.Connection, series: int, tail: dict[int, Columns], low: int, last: int
) -> Columns:
    rows = connection.execute(
        "SELECT codec, step, time, value FROM chunk WHERE series=? AND last_step>=? AND first_step<=?"
        " ORDER BY id",
        (series, low, last),
    )
    parts = [chunk_columns(*row) for row in rows]
    if series in tail:
        parts.append(tail[series])
    return join(parts).by_step()


def _sampled(
    experiment_id: ExperimentId, name: str, points: Columns, query: SampleQuery
) -> SampledSeries | None:
    mask = query.window.mask(points.time)
    inside = points if mask is None else points.take(mask)
    if not len(inside.step):
        return None
    thinned = thin(*inside, query.max_points, query.axis)
    return SampledSeries(experiment_id=experiment_id, name=name, **thinned._asdict())


def _summary(uuid: bytes, name: str, *row: Any) -> SeriesSummary:
    count, non_finite, first_step, last_step, last_time, bits, modified, lowest, highest = row
    return SeriesSummary(
        experiment_id=ExperimentId(UUID(bytes=uuid)),
        name=name,
        count=count,
        non_finite=non_finite,
        first_step=first_step,
        last_step=last_step,
        last_time=last_time,
        last_value=float(np.frombuffer(bits, "<f8")[0]),
        modified=modified,
        min_value=lowest,
        max_value=highest,
    )


def _inside(time: int | None, window: TimeWindow) -> bool:
    mask = window.mask(np.array([] if time is None else [time], np.int64))
    return mask is None or bool(mask.any())
