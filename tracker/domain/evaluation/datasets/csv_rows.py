r"""CSV as RFC 4180 has it, read strictly.

Not by the ``csv`` module: its limit of a field is one for the whole process, which a library must not set, it
holds a whole file that lacks a closing quote, and its errors do not tell the column. Where both take a
file, they read the same; a property test holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tracker.domain.evaluation.datasets.limits import Limits
from tracker.domain.evaluation.datasets.lines import Lines
from tracker.domain.evaluation.datasets.refusal import refused, shown

__all__ = ["csv_columns", "csv_rows"]

_QUOTE = '"'


def csv_rows(chunks: Iterable[bytes], limits: Limits) -> tuple[tuple[str, ...], Iterator[dict[str, Any]]]:
    """The columns of a CSV file and its rows, which are read as they are asked for.

    Fields are parted by commas, lines end with LF or CRLF, blank lines are passed over. A column without
    a name, as dataframes write for their index, is named ``column_N`` by its place.

    Args:
        chunks: the file, in pieces of any size.
        limits: what it may hold.

    Raises:
        Invalid: there is no header or it cannot be used. The iterator raises it for a row.
        TooLarge: the file is larger than allowed.
    """
    source = _Records(Lines(chunks, limits), limits)
    columns = csv_columns(source.following() or (), limits)
    return columns, _rows(source, columns)


def csv_columns(header: Iterable[str], limits: Limits) -> tuple[str, ...]:
    """The names of the columns of a `header`.

    Raises:
        Invalid: a name is too long or stands twice.
    """
    names = tuple(name or f"column_{place}" for place, name in enumerate(header, 1))
    seen: set[str] = set()
    for place, name in enumerate(names, 1):
        if len(name) > limits.column_chars:
            raise refused(f"the name has more than {limits.column_chars} characters", row=0, column=place)
        if name in seen:
            raise refused(f"the name {shown(name)} stands twice; rename one", row=0, column=place)
        seen.add(name)
    return names


def _rows(source: _Records, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    while (fields := source.following()) is not None:
        if len(fields) != len(columns):
            raise refused(
                f"has {len(fields)} fields, the header has {len(columns)}; quote fields that hold commas",
                row=source.row,
            )
        yield dict(zip(columns, fields, strict=True))


class _Records:
    """Rows of fields; a quoted field may go over several lines."""

    def __init__(self, lines: Lines, limits: Limits) -> None:
        self._lines = lines
        self._limits = limits
        self._any = False

    @property
    def row(self) -> int:
        """The row that was read last, from 1; 0 is the header."""
        return self._lines.row

    def following(self) -> list[str] | None:
        """The fields of the next row; ``None`` at the end."""
        self._lines.begin_row()
        self._lines.row += self._any
        while (line := self._lines.following()) is not None:
            if bare := _without_end(line):
                self._any = True
                if self._lines.row > self._limits.rows:
                    raise refused(f"has more than the {self._limits.rows:,} rows allowed")
                return self._fields(bare, line[len(bare) :])
            self._lines.begin_row()
        return None

    def _fields(self, line: str, end: str) -> list[str]:
        fields: list[str] = []
        position = 0
        while True:
            column = len(fields) + 1
            if column > self._limits.columns:
                raise refused(f"has more than the {self._limits.columns:,} columns allowed", row=self.row)
            if line.startswith(_QUOTE, position):
                field, line, end, position = self._quoted(line, end, position + 1, column)
            else:
                comma = line.find(",", position)
                stop = len(line) if comma < 0 else comma
                field, position = self._bare(line[position:stop], column), stop
            fields.append(field)
            if position == len(line):
                return fields
            if line[position] != ",":
                raise refused(
                    "text follows the closing quote; write a quote inside of a field twice",
                    row=self.row,
                    column=column,
                )
            position += 1

    def _bare(self, field: str, column: int) -> str:
        if "\r" in field:
            raise refused(
                "has a carriage return outside of quotes; end lines with LF or CRLF",
                row=self.row,
                column=column,
            )
        return self._checked(field, len(field), column)

    def _quoted(self, line: str, end: str, position: int, column: int) -> tuple[str, str, str, int]:
        """The field whose quote was opened before `position`, the line it ends on, and where."""
        parts: list[str] = []
        size = 0
        while True:
            quote = line.find(_QUOTE, position)
            if quote < 0:
                parts.append(line[position:] + end)
                size = self._grown(size, parts[-1], column)
                following = self._lines.following()
                if following is None:
                    raise refused("a quote is not closed before the file ends", row=self.row, column=column)
                line, position = _without_end(following), 0
                end = following[len(line) :]
            elif line.startswith(_QUOTE, quote + 1):
                parts.append(line[position : quote + 1])
                size = self._grown(size, parts[-1], column)
                position = quote + 2
            else:
                parts.append(line[position:quote])
                self._grown(size, parts[-1], column)
                return "".join(parts), line, end, quote + 1

    def _grown(self, size: int, part: str, column: int) -> int:
        size += len(part)
        self._checked(part, size, column)
        return size

    def _checked(self, field: str, size: int, column: int) -> str:
        if size > self._limits.field_chars:
            raise refused(
                f"has more than the {self._limits.field_chars:,} characters allowed",
                row=self.row,
                column=column,
            )
        return field


def _without_end(line: str) -> str:
    return line.removesuffix("\n").removesuffix("\r")
