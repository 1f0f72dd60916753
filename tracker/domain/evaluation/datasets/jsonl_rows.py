"""JSON Lines: one object a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from tracker.domain.errors import Invalid
from tracker.domain.evaluation.datasets.limits import Limits
from tracker.domain.evaluation.datasets.lines import Lines
from tracker.domain.evaluation.datasets.refusal import refused, shown

__all__ = ["jsonl_rows"]

_TEXT_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)
_LARGEST_INTEGER = 2**63


def jsonl_rows(chunks: Iterable[bytes], limits: Limits) -> Iterator[dict[str, Any]]:
    """The rows of a file of JSON objects, read as they are asked for; blank lines are passed over.

    Args:
        chunks: the file, in pieces of any size.
        limits: what it may hold.

    Raises:
        Invalid: a line is no JSON object, or more than `limits` allow. Depth is counted before the line
            is parsed.
        TooLarge: the file is larger than allowed.
    """
    lines = Lines(chunks, limits)
    while True:
        lines.begin_row()
        lines.row += 1
        line = lines.following()
        while line is not None and not line.strip():
            lines.begin_row()
            line = lines.following()
        if line is None:
            return
        if lines.row > limits.rows:
            raise refused(f"has more than the {limits.rows:,} rows allowed")
        yield _object(line, lines.row, limits)


def _object(line: str, row: int, limits: Limits) -> dict[str, Any]:
    if _is_deeper(line, limits.depth):
        raise refused(f"is nested deeper than the {limits.depth} levels allowed", row=row)
    try:
        value = json.loads(
            line,
            object_pairs_hook=lambda pairs: _distinct(pairs, row, limits),
            parse_constant=lambda name: _no_number(name, row),
        )
    except json.JSONDecodeError as error:
        raise refused(f"is not JSON: {error.msg} at character {error.pos + 1}", row=row) from error
    except Invalid:
        raise
    except (ValueError, RecursionError) as error:  # integers of thousands of digits
        raise refused("has a number that is too long", row=row) from error
    if not isinstance(value, dict):
        raise refused('must be a JSON object such as {"examples": "..."}', row=row)
    for name, item in value.items():
        if len(name) > limits.column_chars:
            raise refused(f"a name has more than {limits.column_chars} characters", row=row, column=name)
        _check(item, row, name, limits)
    return value


def _is_deeper(line: str, most: int) -> bool:
    """Whether brackets outside of texts open more than `most` levels."""
    if line.count("[") + line.count("{") <= most:
        return False
    depth = 0
    for token in _TEXT_OR_BRACKET.finditer(line):
        if token[0] in "[{":
            depth += 1
            if depth > most:
                return True
        elif token[0] in "]}":
            depth -= 1
    return False


def _distinct(pairs: list[tuple[str, Any]], row: int, limits: Limits) -> dict[str, Any]:
    if len(pairs) > limits.columns:
        raise refused(f"has more than the {limits.columns:,} columns allowed", row=row)
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise refused("the name stands twice; rename one", row=row, column=twice)
    return found


def _no_number(name: str, row: int) -> NoReturn:
    raise refused(f"{name} is no JSON; write null where there is no number", row=row)


def _check(value: Any, row: int, column: str, limits: Limits) -> None:
    """Refuses what JSON can write but no database or file of UTF-8 text can keep."""
    match value:
        case str():
            _check_text(value, row, column, limits)
        case dict():
            for name, item in value.items():
                _check_text(name, row, column, limits)
                _check(item, row, column, limits)
        case list():
            for item in value:
                _check(item, row, column, limits)
        case bool():
            pass
        case int() if not -_LARGEST_INTEGER <= value < _LARGEST_INTEGER:
            raise refused("integers must fit into 64 bits; write it as text", row=row, column=column)
        case float() if value in (float("inf"), float("-inf")):
            raise refused("numbers must be finite", row=row, column=column)


def _check_text(text: str, row: int, column: str, limits: Limits) -> None:
    if len(text) > limits.field_chars:
        raise refused(f"has more than the {limits.field_chars:,} characters allowed", row=row, column=column)
    if "\x00" in text:
        raise refused("has a NUL character; remove it", row=row, column=column)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise refused(
                f"{shown(text)} has half of a surrogate pair; it is no text", row=row, column=column
            ) from None
