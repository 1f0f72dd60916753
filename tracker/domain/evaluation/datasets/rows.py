"""Rows of a dataset, by the parts that its columns play."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

from pydantic import AfterValidator, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from tracker.domain.errors import Invalid
from tracker.domain.evaluation.datasets.csv_rows import csv_rows
from tracker.domain.evaluation.datasets.filenames import FileKind
from tracker.domain.evaluation.datasets.jsonl_rows import jsonl_rows
from tracker.domain.evaluation.datasets.limits import Limits
from tracker.domain.evaluation.datasets.refusal import MISSING_EXAMPLES, refused, shown
from tracker.domain.frozen import Frozen
from tracker.domain.text import storable

__all__ = ["ColumnName", "Columns", "Row", "read_rows", "rows_of", "without_examples"]

ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(storable)]
_COLUMNS_SHOWN = 10


class Columns(Frozen):
    """Which column plays which part; any other is kept as it is.

    Attributes:
        examples: what a model is given.
        ground_truth: what it should have answered.
        predictions: what it answered.
    """

    examples: ColumnName = "examples"
    ground_truth: ColumnName = "ground_truth"
    predictions: ColumnName = "predictions"

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if len({self.examples, self.ground_truth, self.predictions}) < 3:
            raise PydanticCustomError("columns_apart", "one column cannot play two parts")
        return self


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        number: its place in the dataset, from 1.
        example: what a model is given.
        ground_truth: what it should have answered; ``None`` when the row does not say, or says nothing.
        prediction: what was answered; ``None`` when nothing was.
        extra: the other columns, in the file's order.
    """

    number: int
    example: str
    ground_truth: str | None = None
    prediction: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def values(self, columns: Columns) -> dict[str, Any]:
        """The row by its columns' names again; what it does not have is left out."""
        parts = {
            columns.examples: self.example,
            columns.ground_truth: self.ground_truth,
            columns.predictions: self.prediction,
        }
        return {name: value for name, value in parts.items() if value is not None} | dict(self.extra)

    def answered(self, columns: Columns, output_field: str, answer: str | None) -> dict[str, Any]:
        """The row of a generated dataset: all that this one has, and the answer in the column `output_field`.

        Raises:
            Invalid: the answer would take the place of the example.
        """
        if output_field == columns.examples:
            raise Invalid.field("output_field", f"{output_field} is the column of the examples; take another")
        return self.values(columns) | {output_field: answer}


def read_rows(
    chunks: Iterable[bytes], kind: FileKind, columns: Columns | None = None, limits: Limits | None = None
) -> Iterator[Row]:
    """The rows of a file of text, read as they are asked for: no more than one row is in memory.

    Args:
        chunks: the file, in pieces of any size.
        kind: CSV or JSON Lines. Parquet is no text; whoever reads it gives its rows to :func:`rows_of`.
        columns: which play which part.
        limits: what the file may hold.

    Raises:
        Invalid: the file breaks a rule; it names row and column. Without the column of examples the
            problem's kind is ``missing_examples``.
        TooLarge: the file is larger than allowed.
    """
    columns, limits = columns or Columns(), limits or Limits()
    match kind:
        case FileKind.CSV:
            names, rows = csv_rows(chunks, limits)
            if columns.examples not in names:
                raise without_examples(columns.examples, names)
            yield from rows_of(rows, columns)
        case FileKind.JSONL:
            found = rows_of(jsonl_rows(chunks, limits), columns, limits)
            first = next(found, None)
            if first is None:
                raise without_examples(columns.examples, ())
            yield first
            yield from found
        case FileKind.PARQUET:
            raise refused("Parquet is not read as text")


def rows_of(
    rows: Iterable[Mapping[str, Any]], columns: Columns, limits: Limits | None = None
) -> Iterator[Row]:
    """Rows by their parts. Numbers and booleans in the place of text are taken as JSON writes them.

    Raises:
        Invalid: a row lacks its example, has something other than text in a part, or all rows together
            have more columns than `limits` allow.
    """
    parts = (columns.examples, columns.ground_truth, columns.predictions)
    seen: set[str] = set()
    most = (limits or Limits()).columns
    for number, values in enumerate(rows, 1):
        if columns.examples not in values:
            raise without_examples(columns.examples, tuple(values), number)
        seen.update(values)
        if len(seen) > most:
            raise refused(f"the rows have more than the {most:,} columns allowed", row=number)
        example, truth, prediction = (_text(values.get(name), number, name) for name in parts)
        if example is None:
            raise refused("is null; every row needs an example", row=number, column=columns.examples)
        extra = {name: _or_null(value) for name, value in values.items() if name not in parts}
        yield Row(number, example, truth or None, prediction, extra)


def _text(value: Any, row: int, column: str) -> str | None:
    match _or_null(value):
        case None:
            return None
        case str() as text:
            return text
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
    raise refused(f"must be text, not a JSON {_NAMES.get(type(value), 'value')}", row=row, column=column)


def _or_null(value: Any) -> Any:
    """Null for a NaN, by which dataframes say that there is nothing."""
    return None if isinstance(value, float) and math.isnan(value) else value


_NAMES: Mapping[type, str] = {dict: "object", list: "array"}


def without_examples(wanted: str, names: tuple[str, ...], row: int | None = None) -> Invalid:
    """The refusal of a file, or a row of it, that lacks the column `wanted` and has these."""
    more = "" if len(names) <= _COLUMNS_SHOWN else f" and {len(names) - _COLUMNS_SHOWN} more"
    has = f"has {', '.join(map(shown, names[:_COLUMNS_SHOWN]))}{more}" if names else "is empty"
    where = "the file" if row is None else "the row"
    why = f"there is no column {shown(wanted)}: {where} {has}; rename the column of inputs"
    return refused(why, row=row, kind=MISSING_EXAMPLES)
