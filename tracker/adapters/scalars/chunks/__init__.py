"""The layout that chunk stores share: columns, codec, chunks, blocks and sampling. Pure numpy, no I/O.

A store keeps three kinds of rows of a project:

- the **tail**, one packed :class:`Piece` a commit and experiment, with the commit's number within the
  experiment (its *arrival*, from 1); :func:`by_series` sorts a tail out;
- **chunks** (:class:`Chunk`), into which :func:`chunked` folds a series' points, after the latest
  :func:`rewritten` chunks were taken in;
- one row a **series** with the :class:`Totals` of its chunks; those of the tail are :func:`added`.

:class:`Sampler` thins a series from the :class:`Blocks` of its chunks.
"""

from tracker.adapters.scalars.chunks.chunk import CHUNK_POINTS, FOLD_AT, Chunk, chunked, decoded, rewritten
from tracker.adapters.scalars.chunks.codec import best_codec
from tracker.adapters.scalars.chunks.columns import Arrivals, Columns, empty, join, join_arrivals
from tracker.adapters.scalars.chunks.decoding import decoded_together
from tracker.adapters.scalars.chunks.parting import Parted, Parting
from tracker.adapters.scalars.chunks.piece import Piece, by_series, unpacked
from tracker.adapters.scalars.chunks.pyramid import BLOCK_POINTS, Blocks
from tracker.adapters.scalars.chunks.sampling import Sampler
from tracker.adapters.scalars.chunks.totals import Totals, added, totals_of
from tracker.adapters.scalars.chunks.totals_table import TotalsTable, totals

__all__ = [
    "BLOCK_POINTS",
    "CHUNK_POINTS",
    "FOLD_AT",
    "Arrivals",
    "Blocks",
    "Chunk",
    "Columns",
    "Parted",
    "Parting",
    "Piece",
    "Sampler",
    "Totals",
    "TotalsTable",
    "added",
    "best_codec",
    "by_series",
    "chunked",
    "decoded",
    "decoded_together",
    "empty",
    "join",
    "join_arrivals",
    "rewritten",
    "totals",
    "totals_of",
    "unpacked",
]
