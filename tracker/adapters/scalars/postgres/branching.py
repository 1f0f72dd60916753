"""Moves the points of an experiment from a step on to another one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from asyncpg import Connection, Record

from tracker.adapters.scalars.chunks import Chunk, Parted, Parting, Totals
from tracker.adapters.scalars.postgres.folding import CHUNK, Folding
from tracker.adapters.scalars.postgres.writing import add_experiments, locked
from tracker.domain.errors import NotFound
from tracker.domain.ids import ExperimentId, ProjectId

__all__ = ["branch"]

_TOTALS = Totals._fields
_COLUMNS = ("experiment", "series", "id", *Chunk._fields)
_INSERT = (
    f"INSERT INTO chunk ({', '.join(_COLUMNS)}) OVERRIDING SYSTEM VALUE"  # noqa: S608 - constants
    f" VALUES ({', '.join(f'${place}' for place in range(1, len(_COLUMNS) + 1))})"
)
_SAVE = (
    f"UPDATE series SET ({', '.join(_TOTALS)})"  # noqa: S608 - constants
    f" = ({', '.join(f'${place}' for place in range(3, 3 + len(_TOTALS)))})"
    " WHERE experiment = $1 AND number = $2"
)
_NOTHING = (0, *(None for _ in _TOTALS[1:]))


async def branch(
    connection: Connection, project_id: ProjectId, experiment_id: ExperimentId, step: int, into: ExperimentId
) -> None:
    """Moves what stands at `step` and behind inside the running transaction; see the port.

    Raises:
        NotFound: the experiment or the project was deleted.
    """
    if not await add_experiments(connection, project_id, [experiment_id]):
        raise NotFound.of("project", project_id)
    row = (await locked(connection, project_id, [experiment_id]))[experiment_id]
    # Asked under the lock: of two who branch to the same place the second finds that it is done.
    known = await connection.fetchval(
        "SELECT id FROM experiment WHERE project = $1 AND uuid = $2", project_id, into
    )
    if known is not None:
        return
    if row["deleted"]:
        raise NotFound.of("experiment", experiment_id)
    await (await Folding.plan(connection, row["id"], row["folds"])).apply(connection)
    target = await connection.fetchval(
        "INSERT INTO experiment (project, uuid, arrival, series) VALUES ($1, $2, $3, $4) RETURNING id",
        project_id,
        into,
        row["arrival"],
        row["series"],
    )
    numbers = await connection.fetch(
        "SELECT DISTINCT series FROM chunk WHERE experiment = $1 AND last_step >= $2 ORDER BY series",
        row["id"],
        step,
    )
    for (number,) in numbers:
        await connection.execute(
            "INSERT INTO series (experiment, number, name)"
            " SELECT $2, number, name FROM series WHERE experiment = $1 AND number = $3",
            row["id"],
            target,
            number,
        )
        await _move(connection, row["id"], target, number, step)
    await connection.execute(
        "UPDATE tag SET experiment = $2 WHERE experiment = $1 AND step >= $3", row["id"], target, step
    )


async def _move(connection: Connection, experiment: int, target: int, series: int, step: int) -> None:
    """Moves chunks, and parts those that lie on both sides; all keep their ids, and so their order."""
    rows = await connection.fetch(
        f"SELECT id, {CHUNK} FROM chunk WHERE experiment = $1 AND series = $2 ORDER BY id",  # noqa: S608
        experiment,
        series,
    )
    parting = Parting(step)
    parted = await asyncio.to_thread(_parted, parting, rows)
    gone = [key for key, (_, behind) in parted if behind is not None]
    await connection.execute(
        "DELETE FROM chunk WHERE experiment = $1 AND series = $2 AND id = ANY($3::bigint[])",
        experiment,
        series,
        gone,
    )
    shortened = [(key, part.before) for key, part in parted if part.before and part.behind]
    moved = [(key, part.behind) for key, part in parted if part.behind]
    await connection.executemany(
        _INSERT,
        [(experiment, series, key, *chunk) for key, chunk in shortened]
        + [(target, series, key, *chunk) for key, chunk in moved],
    )
    for owner, sums in ((experiment, parting.before), (target, parting.behind)):
        await connection.execute(_SAVE, owner, series, *(sums or _NOTHING))


def _parted(parting: Parting, rows: Sequence[Record]) -> list[tuple[int, Parted]]:
    return [(key, parting.part(Chunk(*columns))) for key, *columns in rows]
