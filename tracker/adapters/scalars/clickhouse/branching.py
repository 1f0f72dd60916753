"""Moves the points of an experiment from a step on to another one."""

from __future__ import annotations

from clickhouse_connect.driver.client import Client

from tracker.adapters.scalars.clickhouse.writing import ALONE
from tracker.domain.errors import NotFound
from tracker.domain.ids import ExperimentId, ProjectId

__all__ = ["branch"]

_DONE, _DELETED, _PROJECT_DELETED = 1, 2, 3

# The mark is a row like that of a batch, under the branch's own id as its name.
_KNOWN = f"""
SELECT experiment = {{into:UUID}} AND NOT whole, {_DELETED} + whole FROM scalars_deleted
WHERE project = {{project:UUID}} AND (whole OR experiment IN ({{experiment:UUID}}, {{into:UUID}}))
UNION ALL SELECT true, {_DONE} FROM scalars WHERE project = {{project:UUID}} AND kind = 'batch'
  AND experiment = {{into:UUID}} AND name = {{mark:String}}"""  # noqa: S608 - constants

_COLUMNS = "project, kind, experiment, name, step, time, value, text, arrival"

# One block, so that all appear at once, with the mark.
_COPY = f"""
INSERT INTO scalars ({_COLUMNS})
SELECT project, kind, {{into:UUID}}, name, step, time, value, text, arrival FROM scalars
WHERE project = {{project:UUID}} AND kind IN ('point', 'tags') AND experiment = {{experiment:UUID}}
  AND step >= {{step:Int64}}
UNION ALL SELECT {{project:UUID}}, 'batch', {{into:UUID}}, {{mark:String}}, 0, 0, 0., '', 0"""  # noqa: S608

# What came to the experiment while the rest was copied has other arrivals, and stays.
_REMOVE = """
DELETE FROM scalars
WHERE project = {project:UUID} AND kind IN ('point', 'tags') AND experiment = {experiment:UUID}
  AND step >= {step:Int64} AND arrival IN (
    SELECT arrival FROM scalars WHERE project = {project:UUID} AND kind IN ('point', 'tags')
      AND experiment = {into:UUID})"""


def branch(
    client: Client, project_id: ProjectId, experiment_id: ExperimentId, step: int, into: ExperimentId
) -> None:
    """Copies in one insert, then removes what was copied; see the port.

    Tried again, it removes what was copied before: what came since has arrivals of its own.

    Raises:
        NotFound: the experiment or the project was deleted.
    """
    asked = {
        "project": project_id, "experiment": experiment_id, "into": into, "step": step, "mark": into.hex,
    }  # fmt: skip
    known = {
        (bool(of_branch), code) for of_branch, code in client.query(_KNOWN, parameters=asked).result_rows
    }
    if (True, _DELETED) in known:
        return
    is_done = (True, _DONE) in known
    if not is_done and (False, _PROJECT_DELETED) in known:
        raise NotFound.of("project", project_id)
    if not is_done and (False, _DELETED) in known:
        raise NotFound.of("experiment", experiment_id)
    if not is_done:
        client.command(
            _COPY,
            parameters=asked,
            settings={
                **ALONE,
                "max_threads": 1,
                "max_insert_threads": 1,
                "insert_deduplication_token": f"{project_id}/{into}",
            },
        )
    client.command(_REMOVE, parameters=asked, settings={"lightweight_deletes_sync": 2})
