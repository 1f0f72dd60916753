"""How large a dataset and its parts may be."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field

from tracker.domain.frozen import Frozen

__all__ = ["MEGABYTE", "Limits"]

MEGABYTE = 1_000_000

_Count = Annotated[int, Field(ge=1)]


class Limits(Frozen):
    """What is refused before it takes memory or time.

    Attributes:
        file_bytes: of an upload.
        rows: in a dataset.
        row_bytes: of one row as it stands in the file; this is all that reading ever holds.
        field_chars: of one field, or one text inside a JSON row.
        columns: in a dataset.
        column_chars: of a column's name.
        depth: levels of nesting inside a JSON row, whose object is the first.
    """

    file_bytes: _Count = 50 * MEGABYTE
    rows: _Count = 10_000_000
    row_bytes: _Count = 8 * MEGABYTE
    field_chars: _Count = 4 * MEGABYTE
    columns: _Count = 1000
    column_chars: _Count = 255
    depth: Annotated[int, Field(ge=1, le=100)] = 32

    def for_generated(self) -> Self:
        """What a dataset that a job makes of one within these limits may hold: it has answers beside."""
        return self.evolve(
            file_bytes=self.file_bytes * 10,
            row_bytes=self.row_bytes * 4,
            field_chars=self.field_chars * 4,
            columns=self.columns + 1,
        )
