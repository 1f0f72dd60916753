"""How a dataset's file comes in: taken, read through once, put into the store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

from tracker.domain.evaluation.datasets.facts import Facts, facts_of_table, facts_of_text
from tracker.domain.evaluation.datasets.filenames import FileKind
from tracker.domain.evaluation.datasets.limits import Limits
from tracker.domain.evaluation.datasets.rows import Columns
from tracker.domain.evaluation.files.service import FileService, Put
from tracker.domain.ids import UserId
from tracker.ports.evaluation.datasets import SpooledFile, TableReader

__all__ = ["Intake", "Taken"]


class Taken(NamedTuple):
    """A file that came in, and is in the store.

    Attributes:
        put: its bytes.
        facts: what its rows are.
    """

    put: Put
    facts: Facts


class Intake:
    """Takes the files of datasets in. Memory does not grow with them.

    Args:
        files: keeps them.
        tables: reads those that are no text.
        limits: what an upload may hold.
    """

    def __init__(self, files: FileService, tables: TableReader, limits: Limits) -> None:
        self._files = files
        self._tables = tables
        self.limits = limits

    @asynccontextmanager
    async def taken(
        self, chunks: AsyncIterator[bytes], kind: FileKind, columns: Columns, by: UserId, *, generated: bool
    ) -> AsyncIterator[Taken]:
        """Keeps a file's bytes for as long as it takes to refer to them, once all its rows were found right.

        Args:
            chunks: of the file.
            kind: how it is written.
            columns: which play which part.
            by: whose it is.
            generated: whether a job made it, which may hold more.

        Raises:
            Invalid: it breaks a rule.
            TooLarge: it is larger than allowed.
            Unavailable: the disk or the store is full; nothing was kept.
        """
        limits = self.limits.for_generated() if generated else self.limits
        async with self._files.spooled(chunks, limits.file_bytes) as file:
            work = partial(self._facts, kind=kind, columns=columns, limits=limits)
            facts = await self._files.aside(file, work)
            yield Taken(await self._files.put(file, by), facts)

    def _facts(self, file: SpooledFile, *, kind: FileKind, columns: Columns, limits: Limits) -> Facts:
        if kind is FileKind.PARQUET:
            return facts_of_table(self._tables.rows(file, limits), columns, limits)
        return facts_of_text(file.pieces(), kind, columns, limits)
