"""Samples a series from the blocks of its chunks, and asks for the points of few of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from tracker.adapters.scalars.chunks.chunk import CHUNK_POINTS
from tracker.adapters.scalars.chunks.columns import Columns
from tracker.adapters.scalars.chunks.pyramid import BLOCK_POINTS, FIRST, LAST, Blocks, blocks_in
from tracker.domain.scalars.batch import Int64s
from tracker.domain.scalars.downsampling import Thinned, bucket_count, bucket_width, extremes, thin
from tracker.domain.scalars.series import Axis, SampleQuery

__all__ = ["Sampler"]

_OUT, _WHOLE, _OPEN = range(3)


class _Candidates(NamedTuple):
    """Points of which the kept ones are chosen.

    Attributes:
        place: where each stands in (chunk, row); it tells points apart and orders equal steps.
        low, high: ends on the axis of the block that the point stands for.
        holes: whether this block has non-finite values.
    """

    points: Columns
    place: Int64s
    low: Int64s
    high: Int64s
    holes: NDArray[np.bool_]

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> _Candidates:
        """The candidates at `rows`."""
        return _Candidates(
            self.points.take(rows), self.place[rows], self.low[rows], self.high[rows], self.holes[rows]
        )


class Sampler:
    """Thins one series.

    Usage: ``while missing := sampler.missing(): sampler.supply(...)``, then ``sampler.thinned()``. A
    block is opened, that is its points are asked for, when it is longer than a bucket, or only partly
    inside of what the query asks for; so at most two rounds are needed.

    Args:
        blocks: of each chunk of the series, chunks in arrival order.
        loose: the points that are in no chunk yet, in arrival order.
        query: what is asked; only `max_points`, `axis`, `start`, `stop` and `window` matter.
    """

    def __init__(self, blocks: Sequence[Blocks], loose: Columns, query: SampleQuery) -> None:
        joined = Blocks.join(blocks) if blocks else None
        self._begin(joined, [len(each.points) for each in blocks], loose, query)

    @classmethod
    def of_packed(cls, packed: Sequence[tuple[bytes, int, int]], loose: Columns, query: SampleQuery) -> Self:
        """The same from packed blocks, points and codec of each chunk, which is faster for many chunks.

        Raises:
            ValueError: the bytes are damaged, or of a codec that is not installed.
        """
        sampler = cls.__new__(cls)
        joined = Blocks.unpack_all(packed) if packed else None
        sampler._begin(joined, [blocks_in(points) for _, points, _ in packed], loose, query)
        return sampler

    def _begin(self, blocks: Blocks | None, counts: list[int], loose: Columns, query: SampleQuery) -> None:
        self._query = query
        self._loose = loose
        self._blocks = blocks
        self._chunk = np.repeat(np.arange(len(counts)), counts)
        self._rank = np.concatenate([np.arange(count) for count in counts]) if counts else self._chunk
        self._chunks = len(counts)
        self._supplied: dict[int, Columns] = {}
        self._found: _Candidates | None = None
        self._state = np.full(len(self._chunk), _WHOLE)
        if self._blocks is not None:
            self._leave_out(self._blocks)
        self._settled = False

    def missing(self) -> list[int]:
        """The places in `blocks` of the chunks whose points are needed now; none = go on."""
        while not (wanted := self._wanted()) and not self._settled:
            self._settled = True
            self._open_what_is_longer_than_a_bucket()
        return wanted

    def supply(self, chunks: Mapping[int, Columns]) -> None:
        """Gives the points of chunks by their places in `blocks`."""
        self._supplied.update(chunks)
        self._found = None

    def thinned(self) -> Thinned | None:
        """What :func:`~tracker.domain.scalars.downsampling.thin` would keep, but that a bucket ends
        where a block does; ``None`` when no point is asked for."""
        candidates = self._candidates()
        total = self._total(candidates)
        if total == 0:
            return None
        limit = self._query.max_points
        if limit is None or total <= limit:
            order = np.lexsort((candidates.place, candidates.points.step))
            return thin(*candidates.points.take(order), None, self._query.axis)._replace(total=total)
        return _kept(candidates, total, limit, self._query.axis)

    def _leave_out(self, blocks: Blocks) -> None:
        """Marks blocks that lie outside of what is asked, or partly."""
        query = self._query
        first, last = blocks.step[:, FIRST], blocks.step[:, LAST]
        self._narrow(first, last, query.start, None if query.stop is None else query.stop - 1)
        if query.window.start is not None or query.window.stop is not None:
            self._narrow(
                blocks.time[:, FIRST], blocks.time[:, LAST], query.window.start, query.window.stop,
                known=blocks.in_time_order,
            )  # fmt: skip
        if query.axis is Axis.TIME:
            self._state[(self._state == _WHOLE) & ~blocks.in_time_order] = _OPEN

    def _narrow(
        self, low: Int64s, high: Int64s, start: int | None, stop: int | None,
        known: NDArray[np.bool_] | None = None,
    ) -> None:  # fmt: skip
        inside, outside = np.ones(len(low), np.bool_), np.zeros(len(low), np.bool_)
        if start is not None:
            inside &= low >= start
            outside |= high < start
        if stop is not None:
            inside &= high <= stop
            outside |= low > stop
        if known is not None:
            inside &= known
            outside &= known
        self._state[(self._state == _WHOLE) & ~inside] = _OPEN
        self._state[outside] = _OUT

    def _wanted(self) -> list[int]:
        chunks = np.unique(self._chunk[self._state == _OPEN]).tolist()
        return [chunk for chunk in chunks if chunk not in self._supplied]

    def _open_what_is_longer_than_a_bucket(self) -> None:
        limit = self._query.max_points
        whole = self._state == _WHOLE
        candidates = self._candidates()
        if limit is None or self._total(candidates) <= limit:
            self._state[whole] = _OPEN
            self._found = None
            return
        order = np.argsort(candidates.low, kind="stable")
        starts, longest, width = _clumps(candidates.low[order], candidates.high[order], bucket_count(limit))
        clump = np.empty(len(order), np.intp)
        clump[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(order)))
        too_long = longest[clump] >= np.uint64(width)
        # The candidates of whole blocks come first, four each.
        if too_long.any():
            self._state[np.flatnonzero(whole)[too_long[: 4 * int(whole.sum()) : 4]]] = _OPEN
            self._found = None

    def _total(self, candidates: _Candidates) -> int:
        whole = self._state == _WHOLE
        if self._blocks is None:
            return len(candidates.place)
        return int(self._blocks.points[whole].sum()) + len(candidates.place) - 4 * int(whole.sum())

    def _candidates(self) -> _Candidates:
        if self._found is None:
            self._found = self._gathered()
        return self._found

    def _gathered(self) -> _Candidates:
        parts = [] if self._blocks is None else [self._of_whole_blocks(self._blocks)]
        parts += [self._of_points(chunk, points) for chunk, points in sorted(self._supplied.items())]
        if len(self._loose.value) or not parts:
            parts.append(self._of_points(self._chunks, self._loose))
        if len(parts) == 1:
            return parts[0]
        return _Candidates(
            Columns(*map(np.concatenate, zip(*(part.points for part in parts), strict=True))),
            *map(np.concatenate, zip(*(part[1:] for part in parts), strict=True)),
        )

    def _of_whole_blocks(self, blocks: Blocks) -> _Candidates:
        whole = self._state == _WHOLE
        points = Columns(*(each[whole].ravel() for each in (blocks.step, blocks.time, blocks.value)))
        start = self._chunk[whole] * CHUNK_POINTS + self._rank[whole] * BLOCK_POINTS
        along = (blocks.step if self._query.axis is Axis.STEP else blocks.time)[whole]
        return _Candidates(
            points,
            (start[:, None] + blocks.place[whole]).ravel(),
            np.repeat(along[:, FIRST], 4),
            np.repeat(along[:, LAST], 4),
            np.repeat(blocks.non_finite[whole] > 0, 4),
        )

    def _of_points(self, chunk: int, points: Columns) -> _Candidates:
        place = chunk * CHUNK_POINTS + np.arange(len(points.value))
        along = points.step if self._query.axis is Axis.STEP else points.time
        found = _Candidates(points, place, along, along, ~np.isfinite(points.value))
        if chunk < self._chunks:
            opened = self._state[self._chunk == chunk] == _OPEN
            found = found.take(np.repeat(opened, BLOCK_POINTS)[: len(points.value)])
        mask = self._query.mask(found.points.step, found.points.time)
        return found if mask is None else found.take(mask)


def _clumps(low: Int64s, high: Int64s, count: int) -> tuple[NDArray[np.intp], NDArray[np.uint64], int]:
    """Groups of blocks that overlap or touch, between which the axis can be cut.

    Args:
        low: int64 (n,), where each block begins, ascending.
        high: int64 (n,), where it ends.
        count: of buckets.

    Returns:
        the row at which each group begins, its length on the axis, and the width of a bucket.
    """
    reach = np.maximum.accumulate(high)
    starts = np.flatnonzero(np.append(True, low[1:] > reach[:-1]))
    ends = reach[np.append(starts[1:], len(low)) - 1]
    # Unsigned, since a distance between two int64 need not fit into an int64.
    length = ends.view(np.uint64) - low[starts].view(np.uint64)
    return starts, length, bucket_width(int(reach[-1]) - int(low[0]), count)


def _in_order(place: Int64s, step: Int64s, exact: Int64s) -> NDArray[np.intp]:
    """The order by position on the axis, then step, then place; nearly always that by place is it."""
    order = np.argsort(place, kind="stable")
    for column in (step, exact):
        if np.any(column[order[1:]] < column[order[:-1]]):
            return np.lexsort((place, step, exact))
    return order


def _kept(candidates: _Candidates, total: int, max_points: int, axis: Axis) -> Thinned:
    step, along = candidates.points.step, candidates.low
    exact = step if axis is Axis.STEP else candidates.points.time
    order = _in_order(candidates.place, step, exact)
    by_low = np.argsort(along, kind="stable")
    starts, _, width = _clumps(along[by_low], candidates.high[by_low], bucket_count(max_points))
    edges = along[by_low][starts]
    bucket = (edges.view(np.uint64) - edges[:1].view(np.uint64)) // np.uint64(width)
    edges = edges[np.flatnonzero(np.append(True, bucket[1:] > bucket[:-1]))]
    # A point may be there twice, as the first and the lowest of its block, say.
    order = order[np.diff(candidates.place[order], prepend=-1) != 0]
    ordered = candidates.take(order)
    begin = np.searchsorted(exact[order], edges)
    finite = np.isfinite(ordered.points.value)
    rows = extremes(ordered.points.value, finite, begin, max_points)
    ends = np.append(begin[1:], len(order)) - 1
    position = exact[order]
    middles = position[begin] / 2 + position[ends] / 2
    holes = np.logical_or.reduceat(ordered.holes, begin)
    kept = ordered.take(rows)
    by_step = np.lexsort((kept.place, kept.points.step))
    return Thinned(*kept.points.take(by_step), total, edges, middles[holes])
