"""Tables in colour: bright on a terminal and cut to its width, plain and whole in a pipe.

Colours are escape sequences that :func:`click.echo` takes out again wherever nobody looks at them: in a pipe
or a file, under ``NO_COLOR`` (https://no-color.org) and ``--no-color``.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import click

from .text import visible

__all__ = [
    "MISSING",
    "Cell",
    "Head",
    "Style",
    "color_option",
    "color_variable",
    "missing",
    "print_cells",
    "styled",
    "width_of",
]

MISSING = "–"
"""Stands where there is no value."""

_GAP = "  "
_NARROWEST = 8
_FALLBACK = (80, 24)

Style = str
"""What a cell means; a key of the table below."""

_LOOKS: dict[Style, dict[str, Any]] = {
    "": {},
    "head": {"bold": True},
    "faint": {"dim": True},
    "best": {"fg": "green", "bold": True},
    "better": {"fg": "green"},
    "worse": {"fg": "red"},
    "planned": {"dim": True},
    "running": {"fg": "cyan"},
    "complete": {"fg": "green"},
    "failed": {"fg": "red"},
}


class Cell(NamedTuple):
    """A text and what it means."""

    text: str
    style: Style = ""


class Head(NamedTuple):
    """The head of a column.

    Attributes:
        title: above it.
        is_number: to be aligned to the right.
        may_shrink: may be cut where a terminal is too narrow.
    """

    title: str
    is_number: bool = False
    may_shrink: bool = False


def missing() -> Cell:
    """The cell of a value that is not there."""
    return Cell(MISSING, "faint")


def styled(text: str, style: Style) -> str:
    """`text`, made safe, in the look of `style`."""
    look = _LOOKS[style]
    return click.style(visible(text), **look) if look else visible(text)


def width_of(text: str) -> int:
    """The columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415  (late: most texts do without)

    return cell_len(text)


def _no_color(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value:
        ctx.color = False


color_variable = click.option(
    "--no-color-variable",
    envvar="NO_COLOR",
    hidden=True,
    expose_value=False,
    is_eager=True,
    callback=_no_color,
)
"""Takes ``NO_COLOR`` out of the environment: anything but an empty text means no colours."""


def color_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command ``--no-color``."""
    return click.option(
        "--no-color",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_no_color,
        help="Print without colours (also: NO_COLOR, and always in a pipe).",
    )(command)


def print_cells(heads: Sequence[Head], rows: Iterable[Sequence[Cell]], *, indent: int = 0) -> None:
    """Prints a table, a line a row; heads without any title are not printed.

    Where it is wider than the terminal, columns that may shrink do; then those at the right end are left
    out, and stderr tells which.

    Args:
        heads: left to right.
        rows: top to bottom.
        indent: spaces before each line.
    """
    lines = (
        [[Cell(visible(head.title), "head") for head in heads]] if any(head.title for head in heads) else []
    )
    lines += [[Cell(visible(cell.text), cell.style) for cell in row] for row in rows]
    sizes = [[width_of(cell.text) for cell in line] for line in lines]
    widths = [max(column) for column in zip(*sizes, strict=True)]
    if sys.stdout.isatty():
        left_out = _fit(widths, heads, shutil.get_terminal_size(_FALLBACK).columns - indent)
        if left_out:
            click.echo(f"the terminal is too narrow for {', '.join(map(visible, left_out))}", err=True)
    start = " " * indent
    click.echo(
        "\n".join(start + _line(heads, line, sized, widths) for line, sized in zip(lines, sizes, strict=True))
    )


def _fit(widths: list[int], heads: Sequence[Head], limit: int) -> list[str]:
    """Makes the columns fit into `limit`; gives the titles of those that are left out at the end."""
    left_out: list[str] = []
    while (excess := sum(widths) + len(_GAP) * (len(widths) - 1) - limit) > 0:
        shrinkable = [i for i, width in enumerate(widths) if heads[i].may_shrink and width > _NARROWEST]
        if shrinkable:
            widest = max(shrinkable, key=lambda i: widths[i])
            rest = [widths[i] for i in shrinkable if i != widest]
            widths[widest] -= min(excess, max(1, widths[widest] - max([_NARROWEST, *rest])))
        elif len(widths) > 1:
            widths.pop()
            left_out.insert(0, heads[len(widths)].title)
        else:
            break
    return left_out


def _line(heads: Sequence[Head], line: Sequence[Cell], sizes: Sequence[int], widths: Sequence[int]) -> str:
    parts = []
    for head, cell, size, width in zip(heads, line, sizes, widths, strict=False):
        text = cell.text if size <= width else _cut(cell.text, width)
        look = _LOOKS[cell.style]
        shown = click.style(text, **look) if look else text
        pad = " " * max(0, width - size)
        parts.append(pad + shown if head.is_number else shown + pad)
    return _GAP.join(parts).rstrip()


def _cut(text: str, width: int) -> str:
    """The beginning of a text in exactly `width` columns, with a sign that something is missing."""
    if text.isascii():
        return text[: width - 1] + "…"
    from rich.cells import set_cell_size  # noqa: PLC0415

    return set_cell_size(text, width - 1) + "…"
