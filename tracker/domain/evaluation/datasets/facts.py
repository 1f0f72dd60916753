"""What a dataset's file holds, found by reading all of it once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tracker.domain.evaluation.datasets.csv_rows import csv_rows
from tracker.domain.evaluation.datasets.dataset import Coverage
from tracker.domain.evaluation.datasets.filenames import FileKind
from tracker.domain.evaluation.datasets.jsonl_rows import jsonl_rows
from tracker.domain.evaluation.datasets.limits import Limits
from tracker.domain.evaluation.datasets.refusal import refused
from tracker.domain.evaluation.datasets.rows import Columns, rows_of, without_examples
from tracker.domain.evaluation.datasets.survey import Survey

__all__ = ["Facts", "facts_of_table", "facts_of_text"]

# What a file begins with that is no text, and what to do about it.
_FOREIGN = {
    b"\x1f\x8b": "is compressed by gzip; send it unpacked",
    b"PK\x03\x04": "is a ZIP archive (spreadsheets are, too); send the table in it, as CSV or JSON Lines",
    b"\x28\xb5\x2f\xfd": "is compressed by zstd; send it unpacked",
    b"BZh": "is compressed by bzip2; send it unpacked",
    b"\xfd7zXZ": "is compressed by xz; send it unpacked",
    b"PAR1": "is Parquet; give its name the ending .parquet",
}


class Facts(NamedTuple):
    """What was found.

    Attributes:
        names: of all columns.
        coverage: how many rows say what.
        content_hash: of the rows.
    """

    names: tuple[str, ...]
    coverage: Coverage
    content_hash: str


def facts_of_text(pieces: Iterable[bytes], kind: FileKind, columns: Columns, limits: Limits) -> Facts:
    """Of a file of CSV or JSON Lines; no more than one row is in memory.

    Raises:
        Invalid: it breaks a rule; names row and column. Without the column of examples, or with nothing at
            all, the problem's kind is ``missing_examples``.
        TooLarge: it is larger than `limits` allow.
    """
    checked = _text(pieces)
    if kind is FileKind.JSONL:
        return facts_of_table(jsonl_rows(checked, limits), columns, limits)
    names, rows = csv_rows(checked, limits)
    if columns.examples not in names:
        raise without_examples(columns.examples, names)
    return _facts(rows, columns, limits, names)


def facts_of_table(rows: Iterable[Mapping[str, Any]], columns: Columns, limits: Limits) -> Facts:
    """Of rows that name their columns. Raises what :func:`facts_of_text` raises."""
    return _facts(rows, columns, limits, ())


def _facts(
    rows: Iterable[Mapping[str, Any]], columns: Columns, limits: Limits, names: tuple[str, ...]
) -> Facts:
    survey = Survey(columns, names)
    for row in rows_of(rows, columns, limits):
        survey.add(row)
    if columns.examples not in survey.names:
        raise without_examples(columns.examples, survey.names)
    return Facts(survey.names, survey.coverage, survey.content_hash)


def _text(pieces: Iterable[bytes]) -> Iterator[bytes]:
    head = b""
    rest = iter(pieces)
    for piece in rest:
        head += piece
        if len(head) >= max(map(len, _FOREIGN)):
            break
    for beginning, why in _FOREIGN.items():
        if head.startswith(beginning):
            raise refused(f"the file {why}")
    yield head
    yield from rest
