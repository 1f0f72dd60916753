"""Samples from a scalars file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from tracker.adapters.scalars.chunks import Columns, Sampler, decoded, empty
from tracker.adapters.scalars.embedded.folding import tail_of
from tracker.adapters.scalars.embedded.many_rows import listed
from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.downsampling import Thinned
from tracker.domain.scalars.series import SampledSeries, SampleQuery

__all__ = ["sample"]


def sample(connection: sqlite3.Connection, query: SampleQuery) -> tuple[SampledSeries, ...]:
    """See the port."""
    return tuple(
        sampled
        for experiment_id in query.experiments
        for sampled in _of_experiment(connection, experiment_id, query)
    )


def _of_experiment(
    connection: sqlite3.Connection, experiment_id: ExperimentId, query: SampleQuery
) -> Iterator[SampledSeries]:
    rows = connection.execute(
        "SELECT s.id, s.experiment, s.name FROM series s JOIN experiment e ON e.id = s.experiment"
        " WHERE e.uuid=? ORDER BY s.name",
        (experiment_id.bytes,),
    ).fetchall()
    wanted = None if query.names is None else set(query.names)
    tail = tail_of(connection, rows[0][1]) if rows else {}
    for series, _, name in rows:
        if wanted is None or name in wanted:
            loose = tail[series].points if series in tail else empty()
            sampled = _of_series(connection, series, loose, query)
            if sampled is not None:
                yield SampledSeries(experiment_id=experiment_id, name=name, **sampled._asdict())


def _of_series(
    connection: sqlite3.Connection, series: int, loose: Columns, query: SampleQuery
) -> Thinned | None:
    heads = connection.execute("SELECT id, blocks, points, codec FROM chunk WHERE series=?", (series,))
    chunks = sorted(heads)
    sampler = Sampler.of_packed([chunk[1:] for chunk in chunks], loose, query)
    while missing := sampler.missing():
        place_of = {chunks[place][0]: place for place in missing}
        rows = connection.execute(
            "SELECT c.id, c.codec, p.step, p.time, p.value FROM chunk c JOIN chunk_points p ON p.chunk=c.id"
            " WHERE c.id IN (SELECT value FROM json_each(?))",
            (listed(place_of),),
        )
        sampler.supply({place_of[key]: decoded(*packed) for key, *packed in rows})
    return sampler.thinned()
