"""What commands print: tables for people, JSON for programs.

JSON has the domain's own field names (``snake_case``, ``position`` rather than the API's ``order``);
ids and times are text, and a number that is not finite is ``"NaN"``, ``"Infinity"`` or ``"-Infinity"``.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

import click

from .text import moment, visible

__all__ = ["Column", "as_json_option", "plain", "print_json", "print_record", "print_table"]

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


class Column(NamedTuple):
    """One column of a table.

    Attributes:
        header: above it.
        text: from a row to the cell's text.
        is_number: to be aligned to the right.
    """

    header: str
    text: Callable[[Any], str]
    is_number: bool = False


def plain(value: Any) -> Any:
    """`value` out of what JSON can hold."""
    match value:
        case Enum():
            return value.value
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else _non_finite(value)
        case str() | UUID() | datetime() | bytes():
            return _text(value)
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case tuple() if hasattr(value, "_asdict"):  # a row with named fields
            return plain(value._asdict())
        case tuple() | list():
            return [plain(item) for item in value]
        case frozenset():
            return sorted(map(plain, value))
    if hasattr(value, "tolist"):  # numpy's arrays and numbers
        return plain(value.tolist())
    return {name: plain(getattr(value, name)) for name in type(value).model_fields}


def print_json(value: Any) -> None:
    """Prints entities, or mappings and sequences of them, as JSON."""
    click.echo(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def print_table(columns: Sequence[Column], rows: Iterable[Any], *, empty: str) -> None:
    """Prints one line a row: framed on a terminal, plain columns that are never cut elsewhere.

    Args:
        columns: left to right.
        rows: top to bottom.
        empty: told on stderr when there are none, so that pipes stay clean.
    """
    cells = [[visible(column.text(row)) for column in columns] for row in rows]
    if not cells:
        click.echo(empty, err=True)
    elif sys.stdout.isatty():
        _print_framed(columns, cells)
    else:
        _print_plain(columns, cells)


def print_record(fields: Mapping[str, str]) -> None:
    """Prints one thing, a field a line; empty fields are left out."""
    width = max(map(len, fields))
    for name, text in fields.items():
        if text:
            click.echo(f"{name:<{width}}  {visible(text)}")


def _print_framed(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415  (late: plain output needs no rich)
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(
            column.header,
            justify="right" if column.is_number else "left",
            no_wrap=column.header == "id",  # an id in two pieces cannot be copied
            overflow="fold",
        )
    for row in cells:
        table.add_row(*map(Text, row))  # Text, since names may look like rich's markup
    Console().print(table)


def _print_plain(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> None:
    lines = [[column.header for column in columns], *cells]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    for line in lines:
        padded = (
            text.rjust(width) if column.is_number else text.ljust(width)
            for column, text, width in zip(columns, line, widths, strict=True)
        )
        click.echo("  ".join(padded).rstrip())


def _text(value: str | UUID | datetime | bytes) -> str:
    if isinstance(value, datetime):
        return moment(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def _non_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
