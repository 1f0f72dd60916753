"""One column of numbers as compressed bytes, bit for bit."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from tracker.domain.scalars.batch import Float64s, Int64s

try:
    from pcodec import ChunkConfig, standalone  # type: ignore[import-untyped]
except ImportError:  # no wheel for this platform: zlib takes 17 % more room
    standalone = None

_CONFIG = None if standalone is None else ChunkConfig(compression_level=4)

__all__ = ["PCODEC", "ZLIB", "best_codec", "compress", "decompress", "decompress_into"]

ZLIB, PCODEC = 0, 1


def best_codec() -> int:
    """The codec for new chunks."""
    return ZLIB if standalone is None else PCODEC


def compress(column: Int64s | Float64s, codec: int) -> bytes:
    """A column as bytes."""
    if codec == PCODEC:
        return bytes(standalone.simple_compress(np.ascontiguousarray(column), _CONFIG))
    return zlib.compress(column.astype(column.dtype.newbyteorder("<")).tobytes(), 6)


def decompress(data: bytes, dtype: type[np.generic], codec: int) -> NDArray:  # type: ignore[type-arg]
    """The column that was compressed.

    Raises:
        ValueError: the bytes are damaged, or of a codec that is not installed.
    """
    if codec == ZLIB:
        try:
            return np.frombuffer(zlib.decompress(data), np.dtype(dtype).newbyteorder("<")).astype(dtype)
        except zlib.error as error:
            raise ValueError(str(error)) from error
    if codec != PCODEC or standalone is None:
        raise ValueError(f"a chunk has codec {codec}, which is not installed")
    try:
        column = standalone.simple_decompress(data)
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    if column is None or column.dtype != dtype:
        raise ValueError("a chunk holds another column than it should")
    return np.asarray(column)


def decompress_into(column: NDArray, data: bytes, codec: int) -> None:  # type: ignore[type-arg]
    """Fills a contiguous column with what was compressed.

    Raises:
        ValueError: the bytes are damaged, of a codec that is not installed, or of another length; with
            zlib a column of another type is not noticed.
    """
    if codec == PCODEC and standalone is not None:
        try:
            progress = standalone.simple_decompress_into(data, column)
        except (RuntimeError, TypeError) as error:
            raise ValueError(str(error)) from error
        whole = progress.finished and progress.n_processed == len(column)
    else:
        found = decompress(data, column.dtype.type, codec)
        whole = len(found) == len(column)
        column[: len(found)] = found[: len(column)]
    if not whole:
        raise ValueError("a chunk does not hold as many points as it says")
