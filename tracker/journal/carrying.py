"""Carries the segments of a run to the store, each point once."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from tracker.areas import AsyncTracker
from tracker.domain.errors import Conflict, Invalid, StaleVersion, TooLarge
from tracker.domain.ids import BatchId, ExperimentId
from tracker.domain.scalars.batch import ScalarBatch
from tracker.journal import frames
from tracker.journal.events import apply
from tracker.journal.folder import JournalFolder
from tracker.journal.frames import Block, Segment

__all__ = ["batches_of", "carry"]

LARGEST_BATCH = 20_000
"""Points in a batch; about 700 KB on the wire. The names of batches depend on it: another number
would keep a segment twice that an earlier version has carried in part."""

_log = logging.getLogger("tracker.run")


async def carry(
    journal: JournalFolder,
    library: AsyncTracker,
    experiment_id: ExperimentId,
    *,
    carried: Callable[[Segment], object] = lambda _: None,
    refused: Callable[[int], object] = lambda _: None,
    ends: bool = True,
) -> None:
    """Carries all closed segments of a run, in the order of writing, and deletes what is acknowledged.

    The caller holds :meth:`JournalFolder.carrying`.

    Args:
        journal: of the run.
        library: where to.
        experiment_id: the run's experiment there.
        carried: told of each segment that has been gone through.
        refused: told how many points of a segment the store does not take, now or ever.
        ends: whether the run ends as it says; not, where somebody else has resumed it meanwhile.

    Raises:
        TrackerError: the store does not take it now, or not any more; what is left stays as it is.
        OSError: the folder cannot be read.
    """
    for path in journal.segments():
        segment = _read(path)
        if segment is None:
            continue
        errors: list[tuple[int, Invalid]] = []
        for batch in batches_of(segment, experiment_id, rank=_rank(segment)):
            errors += await _append(library, batch)
        for part in segment.parts:
            if not isinstance(part, Block) and (ends or part.get("event") != "end"):
                await _apply(part, journal, library, experiment_id)
        if errors:
            refused(sum(count for count, _ in errors))
            _log.warning(
                "the store refuses a part of what is in %s: %s", journal.put_aside(path), errors[0][1]
            )
        elif segment.whole < path.stat().st_size and path.suffix == ".seg":
            _log.warning("%s is damaged behind its first %d bytes", journal.put_aside(path), segment.whole)
        else:
            path.unlink(missing_ok=True)
        carried(segment)


def _rank(segment: Segment) -> int:
    rank = segment.header.get("rank")
    return rank if type(rank) is int and rank > 0 else 0


def batches_of(segment: Segment, experiment_id: ExperimentId, *, rank: int = 0) -> Iterator[ScalarBatch]:
    """The rows of a segment in batches whose ids follow from its name, whoever makes them."""
    names_with = _ranked(rank)
    rows: list[Block] = []
    points = 0
    count = 0

    def batch() -> ScalarBatch:
        return _batch(rows, _batch_id(segment.header, count), experiment_id, names_with)

    for block in _pieces(segment.parts):
        if points + block.value.size > LARGEST_BATCH and rows:
            yield batch()
            rows, points, count = [], 0, count + 1
        rows.append(block)
        points += block.value.size
    if rows:
        yield batch()


async def _apply(
    event: Mapping[str, Any], journal: JournalFolder, library: AsyncTracker, experiment_id: ExperimentId
) -> None:
    """Applies an event; one that is no event, or that the store refuses for good, is told and left behind."""
    try:
        await apply(event, journal, library, experiment_id)
    except StaleVersion:  # somebody edited it at the same moment: another time
        raise
    except (Invalid, Conflict, KeyError, TypeError, ValueError) as error:
        _log.warning("%s %s cannot be kept: %s", event.get("event"), event.get("name", ""), error)


def _read(path: Path) -> Segment | None:
    try:
        return frames.read(path.read_bytes())
    except FileNotFoundError:  # another process has just carried it
        return None


def _pieces(parts: Iterable[Block | Mapping[str, Any]]) -> Iterator[Block]:
    """Blocks of at most a batch's size, unless a single row is larger."""
    for part in parts:
        if isinstance(part, Block):
            rows = max(1, LARGEST_BATCH // max(1, len(part.names)))
            for start in range(0, len(part.step), rows):
                piece = slice(start, start + rows)
                yield Block(part.names, part.step[piece], part.time[piece], part.value[piece])


def _batch(
    blocks: list[Block], id: BatchId, experiment_id: ExperimentId, name_of: Callable[[str], str]
) -> ScalarBatch:
    index: dict[str, int] = {}
    for block in blocks:
        for name in block.names:
            index.setdefault(name, len(index))
    series = [
        np.tile(np.array([index[name] for name in block.names], np.int64), len(block.step))
        for block in blocks
    ]
    return ScalarBatch(
        id=id,
        experiment_id=experiment_id,
        names=tuple(name_of(name) for name in index),
        series=np.concatenate(series),
        step=np.concatenate([np.repeat(block.step, len(block.names)) for block in blocks]),
        time=np.concatenate([np.repeat(block.time, len(block.names)) for block in blocks]),
        value=np.concatenate([block.value.ravel() for block in blocks]),
    )


def _ranked(rank: int) -> Callable[[str], str]:
    return (lambda name: f"{name}@rank{rank}") if rank else (lambda name: name)


def _batch_id(header: Mapping[str, Any], count: int) -> BatchId:
    return _derived(f"{header.get('writer')}/{header.get('number')}/{count}")


def _derived(text: str) -> BatchId:
    return BatchId(UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=5))


async def _append(library: AsyncTracker, batch: ScalarBatch) -> list[tuple[int, Invalid]]:
    """Keeps a batch; one that is too large for the store goes in halves, whose ids follow from its own.

    Returns:
        How many points are refused for good, and why; all others are kept.
    """
    try:
        await library.scalars.append(batch)
    except TooLarge as error:
        if len(batch) < 2:
            return [(len(batch), error)]
        refused: list[tuple[int, Invalid]] = []
        middle = len(batch) // 2
        for start, stop in ((0, middle), (middle, len(batch))):
            refused += await _append(library, batch.part(start, stop, id=_derived(f"{batch.id}/{start}")))
        return refused
    except Invalid as error:
        return [(len(batch), error)]
    return []
