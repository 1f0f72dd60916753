"""Puts batches into ClickHouse, and takes experiments out of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import numpy as np
from clickhouse_connect.driver.client import Client

from tracker.domain.errors import NotFound
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch

__all__ = ["ALONE", "append", "delete"]

_COLUMNS = {
    "project": "UUID",
    "kind": "Enum8('point' = 1, 'tags' = 2, 'batch' = 3)",
    "experiment": "UUID",
    "name": "String",
    "step": "Int64",
    "time": "Int64",
    "value": "Float64",
    "text": "String",
}
_NO_EXPERIMENT = UUID(int=0)

# The server gathers what comes within some milliseconds from all its clients, and answers once it is written.
_GATHERED_POINTS = 10_000
_GATHERED = {"async_insert": 1, "wait_for_async_insert": 1, "async_insert_deduplicate": 1}
# One block however many points: two blocks would be two parts, and a crash between them half a batch.
ALONE = {"async_insert": 0, "min_insert_block_size_rows": 2**62, "min_insert_block_size_bytes": 0}

_SEEN, _DELETED, _PROJECT_DELETED = 1, 2, 3
_KNOWN = f"""
SELECT {_DELETED} + whole FROM scalars_deleted
WHERE project = {{project:UUID}} AND (whole OR experiment = {{experiment:UUID}})
UNION ALL SELECT {_SEEN} FROM scalars WHERE project = {{project:UUID}} AND kind = 'batch'
  AND experiment = {{experiment:UUID}} AND name = {{batch:String}}"""  # noqa: S608 - constants


def append(client: Client, project_id: ProjectId, batch: ScalarBatch) -> None:
    """Keeps a batch; durable and readable when it returns.

    A batch that was committed before is found by its mark. One that somebody else commits at the
    same moment is recognised by the server, since both carry the same token.

    Raises:
        NotFound: the project or the experiment was deleted.
    """
    asked = {"project": project_id, "experiment": batch.experiment_id, "batch": batch.id.hex}
    known = {code for (code,) in client.query(_KNOWN, parameters=asked).result_rows}
    if _PROJECT_DELETED in known:
        raise NotFound.of("project", project_id)
    if _DELETED in known:
        raise NotFound.of("experiment", batch.experiment_id)
    if _SEEN not in known:
        how: Mapping[str, Any] = _GATHERED if len(batch) < _GATHERED_POINTS else ALONE
        token = f"{project_id}/{batch.experiment_id}/{batch.id}"
        client.insert(
            "scalars",
            _rows(project_id, batch),
            column_names=list(_COLUMNS),
            column_type_names=list(_COLUMNS.values()),
            column_oriented=True,
            settings={**how, "insert_deduplication_token": token},
        )


def delete(client: Client, project_id: ProjectId, experiment_id: ExperimentId | None) -> None:
    """Hides an experiment or project from every reader and writer, and starts to remove its rows.

    The mark is what counts: a batch that was on its way when it was written stays hidden too, until
    maintenance removes it. The rows go in the background, since a part is rewritten for them.
    """
    whole = experiment_id is None
    client.insert(
        "scalars_deleted",
        [[project_id], [experiment_id or _NO_EXPERIMENT], [whole]],
        column_names=["project", "experiment", "whole"],
        column_type_names=["UUID", "UUID", "Bool"],
        column_oriented=True,
        settings={"async_insert": 0},
    )
    where = "project = {project:UUID}" + ("" if whole else " AND experiment = {experiment:UUID}")
    client.command(
        f"DELETE FROM scalars WHERE {where}",  # noqa: S608 - constants
        parameters={"project": project_id, "experiment": experiment_id},
        settings={"lightweight_deletes_sync": 0},
    )


def _rows(project_id: ProjectId, batch: ScalarBatch) -> list[Any]:
    """The columns of a batch's points in arrival order, of its tags and, last, of its own mark."""
    points, tags = len(batch), len(batch.tags)
    size = points + tags + 1
    latest = int(batch.time.max()) if points else None
    texts = [json.dumps({"time": latest, "names": one.names, "tags": one.tags}) for one in batch.tags]
    steps = np.array([*(one.step for one in batch.tags), 0], np.int64)
    return [
        [project_id] * size,
        ["point"] * points + ["tags"] * tags + ["batch"],
        [batch.experiment_id] * size,
        [*map(batch.names.__getitem__, batch.series.tolist()), *[""] * tags, batch.id.hex],
        np.concatenate((batch.step, steps)),
        np.concatenate((batch.time, np.zeros(tags + 1, np.int64))),
        np.concatenate((batch.value, np.zeros(tags + 1))),
        [""] * points + texts + [""],
    ]
