"""The dataset of a job, fetched from the desk into a file that goes with the worker."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import IO, BinaryIO, TypeAlias

from tracker.adapters.tables.parquet import ParquetTables
from tracker.domain.errors import Invalid, Unavailable
from tracker.domain.evaluation.datasets.dataset import Dataset
from tracker.domain.evaluation.datasets.filenames import FileKind
from tracker.domain.evaluation.datasets.limits import Limits
from tracker.domain.evaluation.datasets.rows import Row, read_rows, rows_of
from tracker.ports.evaluation.datasets import TableReader
from tracker.ports.evaluation.desk import Desk
from tracker.worker.lease_keeper import LeaseKeeper

__all__ = ["FetchedRows", "Tables", "fetched_rows"]

Tables: TypeAlias = TableReader

_PIECE = 2**20


class FetchedRows:
    """The rows of a dataset, which can be read again and again; one row at a time is in memory.

    Args:
        dataset: whose they are.
        file: its bytes, by name.
        most: rows that are taken, the first ones; 0 or less takes all.
        tables: reads what is no text.
    """

    def __init__(self, dataset: Dataset, file: IO[bytes], most: int, tables: Tables) -> None:
        self.dataset = dataset
        self.size = dataset.size
        self.digest = dataset.digest
        self.path = Path(file.name)
        self._most = most
        self._tables = tables

    @property
    def total(self) -> int:
        """How many rows are taken."""
        rows = self.dataset.coverage.rows
        return min(rows, self._most) if self._most > 0 else rows

    def rows(self) -> Iterator[Row]:
        """They, from the first.

        Raises:
            Invalid: the file breaks a rule of datasets.
            Unavailable: what reads files of its kind is not installed here.
        """
        limits = _room_for(self.dataset)
        if self.dataset.kind is FileKind.PARQUET:
            found = rows_of(self._tables.rows(self, limits), self.dataset.columns, limits)
        else:
            found = read_rows(self.pieces(), self.dataset.kind, self.dataset.columns, limits)
        return islice(found, self.total)

    def pieces(self) -> Iterator[bytes]:
        """The bytes of the file."""
        with self.open() as file:
            while piece := file.read(_PIECE):
                yield piece

    async def chunks(self) -> AsyncIterator[bytes]:
        """The same, without holding up the event loop."""
        with self.open() as file:
            while piece := await asyncio.to_thread(file.read, _PIECE):
                yield piece

    def open(self) -> BinaryIO:
        """The file, to be read at any place."""
        return self.path.open("rb")


@asynccontextmanager
async def fetched_rows(
    desk: Desk, lease: LeaseKeeper, dataset: Dataset, most: int, tables: Tables | None = None
) -> AsyncIterator[FetchedRows]:
    """The rows of the dataset for the block; afterwards the file is gone.

    Args:
        desk: has the bytes.
        lease: asks for them again while the desk does not answer.
        dataset: which.
        most: rows to take, the first ones; 0 or less takes all.
        tables: reads what is no text; ``None`` reads Parquet.

    Raises:
        Conflict, DeskLost: as of any other question.
        Invalid: the bytes at the desk are others than the dataset's.
    """
    with tempfile.NamedTemporaryFile(prefix="tracker-rows-") as file:
        await lease.ask(lambda: _fill(file, desk, dataset))
        yield FetchedRows(dataset, file, most, tables or ParquetTables())


async def _fill(file: IO[bytes], desk: Desk, dataset: Dataset) -> None:
    file.seek(0)
    file.truncate()
    hashing, size = hashlib.sha256(), 0
    async for chunk in desk.dataset():
        file.write(chunk)
        hashing.update(chunk)
        size += len(chunk)
    file.flush()
    if size < dataset.size:
        raise Unavailable(f"dataset: {size:,} of {dataset.size:,} bytes came")
    if hashing.hexdigest() != dataset.digest:
        raise Invalid(f"dataset: its bytes are damaged: they are not those of {dataset.digest[:12]}")


def _room_for(dataset: Dataset) -> Limits:
    """What was taken once is read again, whatever the limits are today."""
    most = max(dataset.size, 1)
    columns = max(len(dataset.names), Limits().columns) + 1
    return Limits(file_bytes=most, row_bytes=most, field_chars=most, rows=2**31, columns=columns)
