"""Refusals that say where in the file the trouble is."""

from __future__ import annotations

from tracker.domain.errors import Invalid, Problem

__all__ = ["MISSING_EXAMPLES", "refused", "shown"]

MISSING_EXAMPLES = "missing_examples"
"""The kind of problem of a dataset without the column of examples."""

_LONGEST_SHOWN = 60


def refused(
    why: str, *, row: int | None = None, column: str | int | None = None, kind: str = "dataset"
) -> Invalid:
    """The one wording for what is wrong in a dataset's file.

    Args:
        why: what is wrong, and what would be right.
        row: of data, from 1; 0 is the header, ``None`` when no row is at fault.
        column: its name, or its place from 1 where names are not known.
        kind: the problem's stable kind.
    """
    where = [] if row is None else ["header" if row == 0 else f"row {row}"]
    if column is not None:
        where.append(f"column {shown(column) if isinstance(column, str) else column}")
    loc: tuple[str | int, ...] = ("dataset", *(part for part in (row, column) if part is not None))
    return Invalid(f"dataset: {', '.join(where)}{': ' if where else ''}{why}", [Problem(loc, why, kind)])


def shown(text: str) -> str:
    """`text` in quotes, cut where it is long, with what cannot be printed escaped."""
    return repr(text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…")
