"""Answers from a scalars file."""

from __future__ import annotations

import gc
import json
import re
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import compress, repeat
from operator import itemgetter
from uuid import UUID

import numpy as np

from tracker.adapters.scalars.chunks import (
    Arrivals,
    Columns,
    TotalsTable,
    decoded_together,
    empty,
    join,
    unpacked,
)
from tracker.adapters.scalars.embedded.folding import chunks_of, tail_of
from tracker.adapters.scalars.embedded.many_rows import listed
from tracker.domain.errors import Invalid
from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.batch import StepTags
from tracker.domain.scalars.series import News, Ranking, Series, SeriesSummary, TimeWindow

__all__ = ["nothing_since", "read", "since", "summary", "tags", "top"]

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_CURSOR = re.compile(r"e([0-9]{1,18})")
_COLUMNS = "e.uuid, s.name, coalesce(s.totals, zeroblob(72))"
_FROM = "FROM series s JOIN experiment e ON e.id=s.experiment"
_ROWS = f"SELECT {_COLUMNS}, s.id {_FROM}"
_ROWS_WITHOUT_KEYS = f"SELECT {_COLUMNS}, 0 {_FROM}"  # each column of so many rows costs a tenth of the time
_ROWS_AT_ONCE = 1000  # what is made of them lies in the processor's cache then
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
        "SELECT s.id, s.experiment FROM series s JOIN experiment e ON e.id = s.experiment"
        " WHERE e.uuid=? AND s.name=?",
        (experiment_id.bytes, name),
    ).fetchone()
    low = _LOWEST if start is None else start
    last = _HIGHEST if stop is None else stop - 1
    if found is None or low > last or low > _HIGHEST or last < _LOWEST:
        return empty()
    series, experiment = found
    low, last = max(low, _LOWEST), min(last, _HIGHEST)
    rows = connection.execute(
        "SELECT c.id, c.points, c.codec, p.step, p.time, p.value"
        " FROM chunk c JOIN chunk_points p ON p.chunk=c.id"
        " WHERE c.series=? AND c.last_step>=? AND c.first_step<=?",
        (series, low, last),
    )
    folded = decoded_together([packed for _, *packed in sorted(rows, key=itemgetter(0))])
    tail = tail_of(connection, experiment).get(series)
    points = join([folded] if tail is None else [folded, tail.points]).by_step()
    first = int(np.searchsorted(points.step, low, side="left"))
    return points.take(slice(first, int(np.searchsorted(points.step, last, side="right"))))


def since(
    connection: sqlite3.Connection,
    experiment_id: ExperimentId,
    cursor: str | None,
    names: Collection[str] | None,
) -> News:
    """See the port. A cursor is the number of the experiment's latest arrival."""
    found = connection.execute(
        "SELECT id, arrivals FROM experiment WHERE uuid=? AND deleted=0", (experiment_id.bytes,)
    ).fetchone()
    if found is None:
        return nothing_since(cursor)
    experiment, arrivals = found
    seen = _arrivals_seen(cursor, arrivals)
    series = dict(connection.execute("SELECT name, id FROM series WHERE experiment=?", (experiment,)))
    tail = tail_of(connection, experiment, seen)
    new = []
    for name in sorted(series if names is None else series.keys() & set(names)):
        points = _newer(connection, series[name], seen, tail.get(series[name]))
        if len(points.value):
            new.append(Series(experiment_id=experiment_id, name=name, **points._asdict()))
    return News(tuple(new), f"e{arrivals}")


def nothing_since(cursor: str | None) -> News:
    """The answer about an experiment that has no points, whatever it had."""
    return News((), f"e{_arrivals_seen(cursor, _HIGHEST)}")


def summary(
    connection: sqlite3.Connection,
    experiments: Collection[ExperimentId] | None,
    names: Collection[str] | None,
) -> tuple[SeriesSummary, ...]:
    """See the port."""
    keys = None if experiments is None else _keys(connection, experiments)
    loose = _loose_totals(connection, keys)
    where, parameters = [], []
    if keys is not None:
        where.append("s.experiment IN (SELECT value FROM json_each(?))")
        parameters.append(listed(keys))
    if names is not None:
        where.append("s.name IN (SELECT value FROM json_each(?))")
        parameters.append(listed(names))
    rows = connection.execute(
        f"{_ROWS if len(loose.series) else _ROWS_WITHOUT_KEYS}"
        f" {'WHERE' if where else ''} {' AND '.join(where)} ORDER BY e.uuid, s.name",
        parameters,
    )
    found: list[SeriesSummary] = []
    with _uncollected():
        while some := rows.fetchmany(_ROWS_AT_ONCE):
            found += _summaries(some, loose)
    return tuple(found)


def top(
    connection: sqlite3.Connection, name: str, by: Ranking, k: int, descending: bool
) -> tuple[SeriesSummary, ...]:
    """See the port. Series that have points in the tail are ranked here, all others by SQLite."""
    k = min(max(k, 0), _HIGHEST)
    loose = _loose_totals(connection, None, name)
    keys = listed(loose.series.tolist())
    rank, direction = _RANKS[by], "DESC" if descending else "ASC"
    settled = connection.execute(
        f"{_ROWS} WHERE s.name=? AND {rank} IS NOT NULL AND s.id NOT IN (SELECT value FROM json_each(?))"  # noqa: S608
        f" ORDER BY {rank} {direction}, e.uuid LIMIT ?",
        (name, keys, k),
    ).fetchall()
    running = connection.execute(
        f"{_ROWS} WHERE s.id IN (SELECT value FROM json_each(?))",  # noqa: S608 - constants
        (keys,),
    ).fetchall()
    ranked = [
        (-value if descending else value, row.experiment_id, row)
        for row in _summaries([*settled, *running], loose)
        if (value := row.rank_value(by)) is not None and not np.isnan(value)
    ]
    return tuple(row for *_, row in sorted(ranked, key=lambda entry: entry[:2])[:k])


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


def _arrivals_seen(cursor: str | None, arrivals: int) -> int:
    if cursor is None:
        return 0
    found = _CURSOR.fullmatch(cursor)
    if found is None or int(found[1]) > arrivals:
        raise Invalid.field("cursor", "is none that was given for this experiment", "cursor")
    return int(found[1])


def _newer(connection: sqlite3.Connection, series: int, seen: int, tail: Arrivals | None) -> Columns:
    """The points of a series that came after the arrival `seen`, by (step, arrival)."""
    keys = connection.execute("SELECT id FROM chunk WHERE series=? AND last_arrival>?", (series, seen))
    parts = []
    for _, chunk in chunks_of(connection, [key for (key,) in keys]):
        points, arrival = chunk.arrivals()
        parts.append(points.take(arrival > seen))
    return join(parts if tail is None else [*parts, tail.points]).by_step()


def _keys(connection: sqlite3.Connection, experiments: Collection[ExperimentId]) -> list[int]:
    found = (
        connection.execute("SELECT id FROM experiment WHERE uuid=?", (each.bytes,)).fetchone()
        for each in experiments
    )
    return [row[0] for row in found if row is not None]


def _loose_totals(
    connection: sqlite3.Connection, experiments: Collection[int] | None, name: str | None = None
) -> TotalsTable:
    """The totals of what is in tails."""
    rows = (
        connection.execute("SELECT points FROM tail ORDER BY id")
        if experiments is None
        else connection.execute(
            "SELECT points FROM tail WHERE experiment IN (SELECT value FROM json_each(?)) ORDER BY id",
            (listed(experiments),),
        )
    )
    (series, points), _ = unpacked([data for (data,) in rows])
    if name is not None and len(series):
        named = connection.execute("SELECT id FROM series WHERE name=?", (name,)).fetchall()
        of_name = np.isin(series, [key for (key,) in named])
        series, points = series[of_name], points.take(of_name)
    return TotalsTable.of_points(series, points)


def _summaries(rows: Sequence[tuple[bytes, str, bytes, int]], loose: TotalsTable) -> Iterator[SeriesSummary]:
    """What the rows of series and their tails tell, without series that have no points."""
    if not rows:
        return iter(())
    uuids, names, packed, keys = zip(*rows, strict=True)
    table = TotalsTable.unpacked(keys, packed).plus(loose)
    owners = {uuid: ExperimentId(UUID(bytes=uuid)) for uuid in set(uuids)}
    columns = zip(map(owners.__getitem__, uuids), names, *table.columns(), strict=True)
    # There may be hundreds of thousands: _make() takes twice as long.
    found = map(tuple.__new__, repeat(SeriesSummary), columns)
    return compress(found, (table.numbers["points"] > 0).tolist())


@contextmanager
def _uncollected() -> Iterator[None]:
    """Pauses the garbage collector, which would look at hundreds of thousands of new rows again and
    again and find nothing: a third of the time. Whichever thread paused it first sets it going."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _inside(time: int | None, window: TimeWindow) -> bool:
    mask = window.mask(np.array([] if time is None else [time], np.int64))
    return mask is None or bool(mask.any())
