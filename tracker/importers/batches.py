"""Points of several series as few batches, each of which is recognised when it comes again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from tracker.domain.ids import BatchId, ExperimentId
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.importers.records import Points

__all__ = ["POINTS_A_BATCH", "Piece", "batch_of_tags", "batches"]

POINTS_A_BATCH = 200_000  # of 24 bytes each: fits into a request


@dataclass(frozen=True)
class Piece:
    """Some points of one series.

    Attributes:
        name: of the series.
        points: in arrival order.
        behind: how many points of the series are kept before them.
    """

    name: str
    points: Points
    behind: int


def batches(
    experiment_id: ExperimentId, pieces: Iterable[Piece], *, most: int = POINTS_A_BATCH
) -> Iterator[ScalarBatch]:
    """The batches that keep `pieces`, in their order, of at most so many points; their ids follow from
    content and place alone."""
    waiting: list[Piece] = []
    room = most
    for piece in pieces:
        start = 0
        while start < len(piece.points):
            part = piece.points.rest(start, start + room)
            waiting.append(Piece(piece.name, part, piece.behind + start))
            start += len(part)
            room -= len(part)
            if room == 0:
                yield _batch(experiment_id, waiting)
                waiting, room = [], most
    if waiting:
        yield _batch(experiment_id, waiting)


def batch_of_tags(experiment_id: ExperimentId, tags: Sequence[StepTags], behind: int) -> ScalarBatch:
    """The batch that keeps `tags` behind so many others."""
    told = "".join(tag.model_dump_json() for tag in tags)
    digest = hashlib.blake2b(f"{experiment_id} tags {behind} {told}".encode(), digest_size=16)
    none = np.empty(0, np.int64)
    return ScalarBatch(
        id=BatchId(UUID(bytes=digest.digest())), experiment_id=experiment_id, names=(),
        series=none, step=none, time=none, value=np.empty(0), tags=tuple(tags),
    )  # fmt: skip


def _batch(experiment_id: ExperimentId, pieces: Sequence[Piece]) -> ScalarBatch:
    digest = hashlib.blake2b(str(experiment_id).encode(), digest_size=16)
    names: dict[str, int] = {}
    for piece in pieces:
        names.setdefault(piece.name, len(names))
        digest.update(f"\0{piece.name}\0{piece.behind}\0{len(piece.points)}\0".encode())
        for column in (piece.points.step, piece.points.time, piece.points.value):
            digest.update(np.ascontiguousarray(column).data)
    return ScalarBatch(
        id=BatchId(UUID(bytes=digest.digest())),
        experiment_id=experiment_id,
        names=tuple(names),
        series=np.repeat([names[piece.name] for piece in pieces], [len(piece.points) for piece in pieces]),
        step=np.concatenate([piece.points.step for piece in pieces]),
        time=np.concatenate([piece.points.time for piece in pieces]),
        value=np.concatenate([piece.points.value for piece in pieces]),
    )
