"""What a dataset holds, learnt while its rows pass by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracker.domain.evaluation.datasets.dataset import Coverage
from tracker.domain.evaluation.datasets.hashing import ContentHash
from tracker.domain.evaluation.datasets.rows import Columns, Row

__all__ = ["Survey"]


class Survey:
    """Counts rows without keeping them.

    Args:
        columns: which play which part.
        names: columns known before any row, as of a CSV header.
    """

    def __init__(self, columns: Columns, names: Iterable[str] = ()) -> None:
        self._columns = columns
        self._names = dict.fromkeys(names)
        self._hash = ContentHash()
        self._rows = self._truths = self._predictions = 0

    def passing(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows, each counted before it is handed on."""
        for row in rows:
            self.add(row)
            yield row

    def add(self, row: Row) -> None:
        """One more row."""
        self._names.update(dict.fromkeys(row.values(self._columns)))
        self._hash.add(row, self._columns)
        self._rows += 1
        self._truths += row.ground_truth is not None
        self._predictions += row.prediction is not None

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, in the order in which they were met."""
        return tuple(self._names)

    @property
    def coverage(self) -> Coverage:
        """How many rows there are, and how many say what."""
        return Coverage(rows=self._rows, ground_truth=self._truths, predictions=self._predictions)

    @property
    def content_hash(self) -> str:
        """Of the rows so far."""
        return self._hash.hexdigest()
