"""What a project takes, whether it is sound, and the space of what was deleted."""

from __future__ import annotations

import json
import time

from clickhouse_connect.driver.client import Client

from tracker.adapters.scalars.clickhouse.asking import POINTS
from tracker.adapters.scalars.clickhouse.reading import summary
from tracker.domain.ids import ProjectId
from tracker.domain.scalars.series import Fault, StoreStats

__all__ = ["faults", "remove_deleted", "stats"]

_POLL_SECONDS = 0.05

_SIZE = f"""
SELECT uniqExact(experiment), count(), sum(points) FROM
  (SELECT experiment, name, count() AS points {POINTS} GROUP BY experiment, name)"""  # noqa: S608 - constants

# Parts hold rows of several projects: each is told its share.
_SHARE = """
SELECT sum(bytes_on_disk), sum(rows), (SELECT count() FROM scalars WHERE project = {project:UUID})
FROM system.parts WHERE database = currentDatabase() AND table = 'scalars' AND active"""

_LEFT_OVER = """
SELECT DISTINCT project, experiment FROM scalars
WHERE (project, experiment) IN
    (SELECT project, experiment FROM scalars_deleted WHERE NOT whole)
  OR project IN (SELECT project FROM scalars_deleted WHERE whole)
LIMIT 1000"""

_REMOVE = """
DELETE FROM scalars
WHERE (project, experiment) IN arrayZip({projects:Array(UUID)}, {experiments:Array(UUID)})"""


def stats(client: Client, project_id: ProjectId) -> StoreStats:
    """See the port. Nothing is loose: the server compresses all that it takes."""
    asked = {"project": project_id}
    experiments, series, points = client.query(_SIZE, parameters=asked).result_rows[0]
    if not points:
        return StoreStats(0, 0, 0, 0, 0)
    size, rows, own = client.query(_SHARE, parameters=asked).result_rows[0]
    return StoreStats(experiments, series, points, loose=0, bytes=size * own // max(rows, 1))


def faults(client: Client, project_id: ProjectId) -> tuple[Fault, ...]:
    """See the port. Checksums are of whole parts, in which other projects have rows too."""
    checked = client.raw_query(
        "CHECK TABLE scalars", settings={"check_query_single_value_result": 0}, fmt="JSONCompactEachRow"
    )
    parts = (json.loads(line) for line in checked.splitlines())
    found = [Fault(None, None, f"part {part}: {why}") for part, passed, why in parts if not passed]
    if found:
        return tuple(found)  # what cannot be read cannot be added up
    kept = {row[:2]: row for row in summary(client, project_id, None, None)}
    anew = {
        row[:2]: row
        for row in summary(client, project_id, None, None, settings={"optimize_use_projections": 0})
    }
    found += [
        Fault(*key, "its summary is not that of its points")
        for key in sorted(kept.keys() | anew.keys())
        if repr(kept.get(key)) != repr(anew.get(key))
    ]
    return tuple(found)


def remove_deleted(client: Client, budget: float) -> None:
    """Removes rows of what was deleted that are still there, and gives the space of removed rows back."""
    deadline = time.monotonic() + budget
    left = client.query(_LEFT_OVER).result_columns
    if left:
        client.command(
            _REMOVE,
            parameters={"projects": left[0], "experiments": left[1]},
            settings={"lightweight_deletes_sync": 0},
        )
        if not _finished(client, deadline):
            return
    masked = client.query(
        "SELECT count() FROM system.parts WHERE database = currentDatabase() AND table = 'scalars'"
        " AND active AND has_lightweight_delete",
    ).result_rows[0][0]
    if masked:
        client.command(
            "ALTER TABLE scalars APPLY DELETED MASK",
            settings={"mutations_sync": 0},
        )
        _finished(client, deadline)


def _finished(client: Client, deadline: float) -> bool:
    """Whether every mutation of the table ended before the deadline; they go on in any case."""
    while True:
        waiting = client.query(
            "SELECT count() FROM system.mutations WHERE database = currentDatabase()"
            " AND table = 'scalars' AND NOT is_done",
        ).result_rows[0][0]
        if not waiting or time.monotonic() > deadline:
            return not waiting
        time.sleep(_POLL_SECONDS)
