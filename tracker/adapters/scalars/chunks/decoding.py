"""Many chunks of a series at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import accumulate

import numpy as np

from tracker.adapters.scalars.chunks.chunk import CHUNK_POINTS
from tracker.adapters.scalars.chunks.codec import decompress_into
from tracker.adapters.scalars.chunks.columns import Columns

__all__ = ["Packed", "decoded_together"]

_MOST_THREADS = 4
_ALONE = 8  # chunks that are decoded in less time than it takes to wake another thread

Packed = tuple[int, int, bytes, bytes, bytes]
"""Number of points, codec, and the columns step, time and value of a chunk."""


def decoded_together(chunks: Sequence[Packed]) -> Columns:
    """The points of chunks one after another, straight into one array a column.

    Decompressing lets go of Python's lock, so that it is done on all processors.

    Raises:
        ValueError: the bytes are damaged, or of a codec that is not installed.
    """
    if not all(0 < chunk[0] <= CHUNK_POINTS for chunk in chunks):
        raise ValueError("a chunk says that it has more points than fit into one, or none")
    ends = list(accumulate(chunk[0] for chunk in chunks))
    size = ends[-1] if ends else 0
    columns = Columns(np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.float64))

    def decode(first: int, every: int) -> None:
        for (points, codec, *packed), end in zip(chunks[first::every], ends[first::every], strict=True):
            for column, data in zip(columns, packed, strict=True):
                decompress_into(column[end - points : end], data, codec)

    threads = 1 if len(chunks) <= _ALONE else min(_MOST_THREADS, os.cpu_count() or 1)
    others = [_pool().submit(decode, first, threads) for first in range(1, threads)]
    decode(0, threads)
    for other in others:
        other.result()
    return columns


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_MOST_THREADS, "scalars-decode")


# A forked process would wait for threads that only its parent has.
os.register_at_fork(after_in_child=_pool.cache_clear)
