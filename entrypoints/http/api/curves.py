"""Curves as an answer: in JSON or in columns, and not again when the caller has them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tracker import octets
from tracker.domain.errors import Invalid
from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.batch import StepTags
from tracker.domain.scalars.series import Series, SeriesSummary

from ..exchange import NOT_MODIFIED, Call
from ..media import OCTETS
from ..schemas.scalar_queries import MOST_JSON
from ..schemas.scalars import ExperimentScalarsOut, ScalarsOut, experiment_scalars, tags_out

__all__ = ["check_size", "is_known", "shown"]

Tags = Mapping[ExperimentId, Sequence[StepTags]]


def check_size(call: Call[None, Any]) -> None:
    """Refuses what the answer's media type cannot carry.

    Raises:
        Invalid: so many points need columns, or columns have no place for tags.
    """
    if call.media != OCTETS and call.query.max_points > MOST_JSON:
        raise Invalid.field("max_points", f"more than {MOST_JSON} need Accept: {OCTETS}")
    if call.media == OCTETS and call.query.return_tags:
        raise Invalid.field("return_tags", "columns carry no tags; ask for JSON")


def is_known(call: Call[None, Any], rows: Iterable[SeriesSummary], tags: Tags) -> bool:
    """Gives the answer its ETag, and tells whether the caller has that answer already.

    Points are only ever added, so that the counts of points stand for all that is in the series.
    """
    counts = [(str(row.experiment_id), row.name, row.count) for row in rows]
    named = repr((call.media, call.query, counts, tags)).encode()
    tag = f'W/"{hashlib.blake2b(named, digest_size=12).hexdigest()}"'
    call.headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept"}
    known = [each.strip() for each in (call.known or "").split(",")]
    if tag not in known and "*" not in known:
        return False
    call.status = NOT_MODIFIED
    return True


def shown(
    call: Call[None, Any],
    series: Iterable[Series],
    tags: Tags,
    *,
    cursor: str | None = None,
    experiments: Iterable[ExperimentId] = (),
) -> ScalarsOut | bytes:
    """The answer; `experiments` stand in it even without a curve."""
    if call.media == OCTETS:
        return octets.write(series, cursor)
    found: dict[ExperimentId, ExperimentScalarsOut] = {
        key: {"experiment_id": key, "scalars": {}} for key in experiments
    }
    found |= experiment_scalars(series, times=call.query.return_times)
    if call.query.return_tags:
        for key, entry in found.items():
            entry["tags"] = tags_out(tags.get(key, ()))
    answer: ScalarsOut = {"data": list(found.values())}
    return answer if cursor is None else {**answer, "cursor": cursor}
