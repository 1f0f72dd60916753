"""Whether a scalars file is as it was written, and what it takes."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from tracker.adapters.scalars.chunks import Totals, added, by_series, totals_of
from tracker.adapters.scalars.embedded.rows import CHUNK, RANKS, chunk_from, totals_from
from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.series import Fault, StoreStats

__all__ = ["faults", "stats"]

_ORPHANS = {
    "a series of no experiment": "SELECT id FROM series WHERE experiment NOT IN"
    " (SELECT id FROM experiment WHERE deleted=0)",
    "a chunk of no series": "SELECT id FROM chunk WHERE series NOT IN (SELECT id FROM series)",
    "points of no chunk": "SELECT chunk FROM chunk_points WHERE chunk NOT IN (SELECT id FROM chunk)",
    "a chunk without points": "SELECT id FROM chunk WHERE id NOT IN (SELECT chunk FROM chunk_points)",
    "a piece of no experiment": "SELECT id FROM tail WHERE experiment NOT IN"
    " (SELECT id FROM experiment WHERE deleted=0)",
}


def stats(connection: sqlite3.Connection, path: Path) -> StoreStats:
    """See the port."""
    folded, loose = connection.execute(
        "SELECT (SELECT coalesce(sum(points), 0) FROM series),"
        " (SELECT coalesce(sum(loose), 0) FROM experiment WHERE deleted=0)"
    ).fetchone()
    experiments, series = connection.execute(
        "SELECT count(DISTINCT experiment), count(*) FROM series"
        " WHERE points>0 OR experiment IN (SELECT experiment FROM tail)"
    ).fetchone()
    files = [path.with_name(path.name + suffix) for suffix in ("", "-wal")]
    size = sum(file.stat().st_size for file in files if file.exists())
    return StoreStats(experiments, series, folded + loose, loose, size)


def faults(connection: sqlite3.Connection) -> Iterator[Fault]:
    """What is wrong with the file, one after the other; up to where SQLite itself cannot go on."""
    try:
        yield from _faults_of_tables(connection)
        yield from _faults_of_points(connection)
    except sqlite3.Error as error:
        yield Fault(None, None, f"SQLite: {error}")


def _faults_of_tables(connection: sqlite3.Connection) -> Iterator[Fault]:
    for (message,) in connection.execute("PRAGMA integrity_check"):
        if message != "ok":
            yield Fault(None, None, f"SQLite: {message}")
    for what, query in _ORPHANS.items():
        for (key,) in connection.execute(query):
            yield Fault(None, None, f"{what}: {key}")


def _faults_of_points(connection: sqlite3.Connection) -> Iterator[Fault]:
    experiments = connection.execute("SELECT id, uuid, arrivals, loose FROM experiment WHERE deleted=0")
    for experiment, uuid, arrivals, loose in experiments.fetchall():
        experiment_id = ExperimentId(UUID(bytes=uuid))
        yield from _faults_of_tail(connection, experiment_id, experiment, arrivals, loose)
        series = connection.execute(
            f"SELECT id, name, totals, {RANKS} FROM series WHERE experiment=?",  # noqa: S608 - constants
            (experiment,),
        )
        for key, name, packed, *ranks in series.fetchall():
            try:
                kept = totals_from(packed)
            except ValueError as error:
                yield Fault(experiment_id, name, f"its summary cannot be read: {error}")
                continue
            for problem in _faults_of_series(connection, key, arrivals, kept, ranks):
                yield Fault(experiment_id, name, problem)


def _faults_of_tail(
    connection: sqlite3.Connection, experiment_id: ExperimentId, experiment: int, arrivals: int, loose: int
) -> Iterator[Fault]:
    rows = connection.execute(
        "SELECT arrival, points FROM tail WHERE experiment=? ORDER BY id", (experiment,)
    ).fetchall()
    try:
        tail = by_series(rows)
    except ValueError as error:
        yield Fault(experiment_id, None, f"its tail cannot be read: {error}")
        return
    points = sum(len(each.arrival) for each in tail.values())
    if points != loose:
        yield Fault(experiment_id, None, f"its tail has {points} points, not {loose}")
    order = [arrival for arrival, _ in rows]
    if order != sorted(set(order)) or (order and order[-1] > arrivals):
        yield Fault(experiment_id, None, "its tail is not in the order of arrival")
    known = connection.execute("SELECT id FROM series WHERE experiment=?", (experiment,)).fetchall()
    if not tail.keys() <= {key for (key,) in known}:
        yield Fault(experiment_id, None, "its tail has points of no series")


def _faults_of_series(
    connection: sqlite3.Connection, series: int, arrivals: int, kept: Totals | None, ranks: list[object]
) -> Iterator[str]:
    found: Totals | None = None
    rows = connection.execute(
        f"SELECT {CHUNK} FROM chunk c JOIN chunk_points p ON p.chunk=c.id WHERE c.series=? ORDER BY c.id",  # noqa: S608
        (series,),
    )
    for key, chunk in map(chunk_from, rows):
        problem = chunk.fault()
        if problem is not None:
            yield f"chunk {key}: {problem}"
            return
        if chunk.last_arrival > arrivals:
            yield f"chunk {key}: it arrived after the latest arrival"
        found = added(found, totals_of(chunk.columns()))
    if not _same(found, kept):
        yield f"its summary is {kept}, its points say {found}"
    elif ranks != _ranks(kept):
        yield f"it is ranked by {ranks}, its summary says {_ranks(kept)}"


def _ranks(kept: Totals | None) -> list[object]:
    """What the columns :data:`RANKS` hold: SQLite has no number that is none."""
    if kept is None:
        return [0, None, None, None]
    last = None if math.isnan(kept.last_value) else kept.last_value
    return [kept.points, last, kept.min_value, kept.max_value]


def _same(one: Totals | None, other: Totals | None) -> bool:
    """Whether the numbers are equal; not a number is equal to itself here."""
    if one is None or other is None:
        return one is other
    pairs = zip(one, other, strict=True)
    return all(a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b or 0.0)) for a, b in pairs)
