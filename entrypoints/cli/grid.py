"""Tables whose cells have colours of their own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

import click

from .text import visible

__all__ = ["Cell", "print_grid"]


class Cell(NamedTuple):
    """A cell's text and, for terminals, its style."""

    text: str
    style: str = ""


def print_grid(headers: Sequence[str], rows: Sequence[Sequence[Cell]], *, left: int = 1) -> None:
    """Prints one line a row: framed and coloured on a terminal, plain columns that are never cut elsewhere.

    Args:
        headers: of the columns.
        rows: top to bottom.
        left: so many columns are aligned to the left, all others to the right.
    """
    if sys.stdout.isatty():
        _print_framed(headers, rows, left)
        return
    lines = [list(map(visible, headers)), *([visible(cell.text) for cell in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(headers))]
    for line in lines:
        padded = (
            text.ljust(width) if place < left else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        click.echo("  ".join(padded).rstrip())


def _print_framed(headers: Sequence[str], rows: Sequence[Sequence[Cell]], left: int) -> None:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415  (late: plain output needs no rich)
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for place, header in enumerate(headers):
        table.add_column(Text(visible(header)), justify="left" if place < left else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell.text), style=cell.style) for cell in row))
    Console().print(table)
