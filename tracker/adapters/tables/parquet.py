"""Parquet, read by pyarrow, within limits that hold before anything is unpacked."""

from __future__ import annotations

import base64
import datetime
import decimal
import struct
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from tracker.adapters.tables.page_heads import CutOff, PageHead, page_head
from tracker.domain.errors import Unavailable
from tracker.domain.evaluation.datasets.limits import MEGABYTE, Limits
from tracker.domain.evaluation.datasets.refusal import refused, shown
from tracker.ports.evaluation.datasets import SpooledFile

__all__ = ["ParquetTables"]

_MARK = b"PAR1"
_LARGEST_FOOTER = 16 * MEGABYTE
_LARGEST_PAGE = 64 * MEGABYTE
_USUAL_HEAD, _LONGEST_HEAD = 4096, 16 * MEGABYTE
_UNPACKED_TIMES = 20  # as large as the file may be by itself
_ROWS_AT_ONCE = 256
_BUFFER = 2**20


class ParquetTables:
    """Keeps the port :class:`tracker.ports.evaluation.datasets.TableReader`.

    Checked are, in this order: the footer's size before it is parsed; columns, rows and unpacked sizes that
    it tells; of each page what its own head says that it unpacks to; each row's size when it is read.
    Texts stay as places in their dictionary until their row is built, so that one long text that a million
    rows share is not a million texts at a time.
    """

    def rows(self, file: SpooledFile, limits: Limits) -> Iterator[Mapping[str, Any]]:
        """The rows, some at a time."""
        try:
            import pyarrow as pa  # noqa: PLC0415  (late: an extra)
            import pyarrow.parquet as pq  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise Unavailable(
                "Parquet needs pyarrow, which is not installed: pip install 'tracker[parquet]'", 3600
            ) from error
        with file.open() as opened:
            _check_footer(opened, file.size)
            try:
                table = pq.ParquetFile(opened, **_within(limits))
                _check_head(table, opened, file.size, limits)
                texts = [name for name in table.schema_arrow.names if _is_text(table, name, pa)]
                table = pq.ParquetFile(opened, read_dictionary=texts, **_within(limits))
                yield from _rows(table, limits)
            except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
                if isinstance(error, OSError) and error.errno is not None:
                    raise
                why = str(error).strip().partition("\n")[0][:300]
                raise refused(f"the file is no Parquet that can be read: {why}") from error


def _within(limits: Limits) -> dict[str, Any]:
    """What keeps pyarrow's own reading in bounds."""
    return {
        "pre_buffer": False,
        "buffer_size": _BUFFER,
        "thrift_string_size_limit": _LARGEST_FOOTER,
        "thrift_container_size_limit": max(10_000, 100 * limits.columns),
    }


def _check_footer(file: BinaryIO, size: int) -> None:
    if size < 12:
        raise refused("the file is no Parquet: it is too short")
    file.seek(0)
    begins = file.read(4)
    file.seek(size - 8)
    (length,), mark = struct.unpack("<I", file.read(4)), file.read(4)
    if begins != _MARK or mark != _MARK:
        raise refused("the file is no Parquet; give its name the ending of what it is: .csv or .jsonl")
    if length > size - 12:
        raise refused("the file is no Parquet that can be read: its footer is cut off")
    if length > _LARGEST_FOOTER:
        raise refused(
            f"its footer has {length:,} bytes, {_LARGEST_FOOTER:,} are allowed; it has too many columns, or "
            "too many groups of rows"
        )


def _check_head(table: Any, file: BinaryIO, size: int, limits: Limits) -> None:
    head = table.metadata
    if head.num_columns > limits.columns:
        raise refused(f"has {head.num_columns:,} columns, {limits.columns:,} are allowed")
    if head.num_rows > limits.rows:
        raise refused(f"has more than the {limits.rows:,} rows allowed")
    for place, name in enumerate(table.schema_arrow.names, 1):
        if len(name) > limits.column_chars:
            raise refused(f"the name has more than {limits.column_chars} characters", row=0, column=place)
        if table.schema_arrow.names.count(name) > 1:
            raise refused(f"the name {shown(name)} stands twice; rename one", row=0, column=place)
    room = _UNPACKED_TIMES * limits.file_bytes
    for group in range(head.num_row_groups):
        for column in range(head.num_columns):
            room -= _unpacked(head.row_group(group).column(column), file, size)
            if room < 0:
                raise refused(
                    f"unpacks to more than {_UNPACKED_TIMES * limits.file_bytes:,} bytes; that is no dataset"
                )


def _unpacked(chunk: Any, file: BinaryIO, size: int) -> int:
    """Bytes of a column's part in a group of rows, page by page, as the pages' own heads tell."""
    start = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
        start = min(start, chunk.dictionary_page_offset)
    end = min(size, start + chunk.total_compressed_size)
    total = 0
    while start < end:
        head = _page_head(file, start)
        if head.unpacked > _LARGEST_PAGE:
            raise refused(
                f"a page unpacks to {head.unpacked:,} bytes, {_LARGEST_PAGE:,} are allowed; write it with "
                "smaller pages",
                column=chunk.path_in_schema,
            )
        total += head.unpacked
        start += head.length + head.packed
    return max(total, int(chunk.total_uncompressed_size))


def _page_head(file: BinaryIO, start: int) -> PageHead:
    """A head is short, unless it has long texts as the smallest and largest of its page."""
    file.seek(start)
    raw = file.read(_USUAL_HEAD)
    try:
        return page_head(raw)
    except CutOff:
        return page_head(raw + file.read(_LONGEST_HEAD))


def _is_text(table: Any, name: str, pa: Any) -> bool:
    kind = table.schema_arrow.field(name).type
    if pa.types.is_nested(kind):
        raise refused(
            f"is a column of {kind}: nested columns are read from JSON Lines; save it as that",
            row=0,
            column=name,
        )
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind))


def _rows(table: Any, limits: Limits) -> Iterator[Mapping[str, Any]]:
    number, room = 0, _UNPACKED_TIMES * limits.file_bytes
    for batch in table.iter_batches(batch_size=_ROWS_AT_ONCE):
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        for place in range(batch.num_rows):
            number += 1
            row, size = _row(columns, place, number, limits)
            room -= size
            if room < 0:  # a long text can stand in the file once, and in every row
                raise refused(f"holds more than {_UNPACKED_TIMES * limits.file_bytes:,} characters of text")
            yield row


def _row(columns: Mapping[str, Any], place: int, number: int, limits: Limits) -> tuple[dict[str, Any], int]:
    """A row, and how many characters it has."""
    size = 0
    found: dict[str, Any] = {}
    for name, column in columns.items():
        value = found[name] = _value(column[place].as_py(), number, name)
        if isinstance(value, str):
            size += len(value)
            if len(value) > limits.field_chars:
                raise refused(
                    f"has more than the {limits.field_chars:,} characters allowed", row=number, column=name
                )
            if "\x00" in value:
                raise refused("has a NUL character; remove it", row=number, column=name)
            if size > limits.row_bytes:
                raise refused(f"has more than the {limits.row_bytes:,} bytes allowed", row=number)
    return found, size


def _value(value: Any, row: int, column: str) -> Any:
    """A value as JSON Lines would have it."""
    match value:
        case None | str() | bool() | int():
            return value
        case float():
            if value in (float("inf"), float("-inf")):
                raise refused("numbers must be finite", row=row, column=column)
            return value
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return base64.b64encode(value).decode()
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case datetime.timedelta():
            return value.total_seconds()
        case decimal.Decimal():
            return str(value)
    raise refused(f"holds a {type(value).__name__}; save it as text", row=row, column=column)
