"""Series in Parquet files; needs the extra ``parquet``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from tracker.domain.errors import Invalid, Unavailable
from tracker.importers.scalar_files import COLUMNS, POINTS_A_PART, Part, Reader, Writer, tags_from, tags_text

__all__ = ["ParquetRows"]

_KEYS = ["experiment_id", "experiment", "scalar"]


class ParquetRows:
    """Rows of the file, as :mod:`tracker.importers.scalar_files` tells of them."""

    @staticmethod
    @contextmanager
    def writing(written: Path) -> Iterator[Writer]:
        """A writer; a part is a row group."""
        pa, parquet = _pyarrow()
        # Keys repeat, values hardly ever: a dictionary of values would only cost.
        with parquet.ParquetWriter(written, _schema(pa), compression="zstd", use_dictionary=_KEYS) as file:
            yield _Writer(pa, file)

    @staticmethod
    @contextmanager
    def reading(file: Path) -> Iterator[Reader]:
        """A reader.

        Raises:
            Invalid: it is no Parquet file, or one with other columns.
        """
        pa, parquet = _pyarrow()
        try:
            rows = parquet.ParquetFile(file, read_dictionary=_KEYS)
        except (pa.ArrowInvalid, OSError) as error:
            raise Invalid.field("FILE", f"{file.name} is no Parquet file: {error}") from error
        with rows:
            if rows.schema_arrow.names != list(COLUMNS):
                raise Invalid.field("FILE", f"{file.name} must have the columns {', '.join(COLUMNS)}")
            yield _Reader(pa, file.name, rows)


class _Writer:
    def __init__(self, pa: Any, file: Any) -> None:
        self._pa = pa
        self._file = file

    def write(self, part: Part) -> None:
        """Writes one."""
        rows = len(part) or len(part.tags)
        same = [str(part.experiment_id), part.experiment, part.scalar]
        is_tags = bool(part.tags)
        step = np.array([tags.step for tags in part.tags], np.int64) if is_tags else part.step
        columns = [
            *([text] * rows for text in same),
            step,
            [None] * rows if is_tags else part.time,
            [None] * rows if is_tags else part.value,
            [tags_text(tags) for tags in part.tags] if is_tags else [None] * rows,
        ]
        schema = _schema(self._pa)
        arrays = [
            self._pa.array(column, kind.type, from_pandas=False)
            for column, kind in zip(columns, schema, strict=True)
        ]
        self._file.write_table(self._pa.Table.from_arrays(arrays, schema=schema))


class _Reader:
    def __init__(self, pa: Any, name: str, rows: Any) -> None:
        self.total: int = rows.metadata.num_rows
        self._pa = pa
        self._name = name
        self._rows = rows

    def __iter__(self) -> Iterator[Part]:
        try:
            for batch in self._rows.iter_batches(POINTS_A_PART):
                yield from self._parts(batch)
        except (self._pa.ArrowException, OSError, ValueError) as error:
            raise Invalid.field("FILE", f"{self._name} cannot be read: {error}") from error

    def _parts(self, batch: Any) -> Iterator[Part]:
        # A part ends where an experiment, a scalar or the kind of row changes.
        keys = [batch.column(name).indices.to_numpy(zero_copy_only=False) for name in _KEYS]
        is_tags = batch.column("tags").is_valid().to_numpy(zero_copy_only=False)
        changes = np.any([key[1:] != key[:-1] for key in (*keys, is_tags)], axis=0)
        edges = [0, *(np.flatnonzero(changes) + 1).tolist(), batch.num_rows]
        for start, stop in pairwise(edges):
            rows = batch.slice(start, stop - start)
            source, experiment, scalar = (rows.column(name)[0].as_py() for name in _KEYS)
            step = rows.column("step").to_numpy()
            if is_tags[start]:
                texts = rows.column("tags").to_pylist()
                tags = tuple(tags_from(int(at), text) for at, text in zip(step, texts, strict=True))
                yield Part(UUID(source), experiment, tags=tags)
                continue
            time = rows.column("time").cast(self._pa.int64()).to_numpy()
            yield Part(UUID(source), experiment, scalar, step, time, rows.column("value").to_numpy())


def _schema(pa: Any) -> Any:
    text = pa.string()
    types = (text, text, text, pa.int64(), pa.timestamp("us", "UTC"), pa.float64(), text)
    return pa.schema(list(zip(COLUMNS, types, strict=True)))


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa  # noqa: PLC0415  (late: an extra)
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise Unavailable("Parquet needs pyarrow: pip install 'tracker[parquet]'; or write .csv") from error
    return pa, parquet
