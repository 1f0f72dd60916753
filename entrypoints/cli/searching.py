"""Searches page by page, and what a person is told of a filter that does not parse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

from tracker.domain.errors import QuerySyntax
from tracker.domain.search.found import FoundExperiment

from .cells import width_of
from .errors import Failure
from .text import visible

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["errors_shown", "searched"]

_LARGEST_PAGE = 1000
_SHOWN = 76  # columns of a filter around a mistake


def searched(
    library: Tracker, project_id: UUID | None, filter: str, order_by: str, limit: int | None = None
) -> Iterator[FoundExperiment]:
    """What a search finds, at most `limit`.

    Args:
        library: where to look.
        project_id: of this project; ``None`` = of all.
        filter: in the language of ``docs/guide/search.md``.
        order_by: the same; empty = the newest first.
        limit: ``None`` = all.
    """
    cursor = None
    while limit is None or limit > 0:
        size = _LARGEST_PAGE if limit is None else min(limit, _LARGEST_PAGE)
        page = library.experiments.search(project_id, filter, order_by, size, cursor=cursor)
        yield from page
        cursor = page.next_cursor
        if cursor is None:
            return
        limit = None if limit is None else limit - len(page)


@contextmanager
def errors_shown(filter: str, order_by: str) -> Iterator[None]:
    """Has a search inside that does not parse show where.

    Raises:
        Failure: with the text and a caret below the column.
    """
    try:
        yield
    except QuerySyntax as error:
        is_order = bool(error.problems) and error.problems[0].loc[-1:] == ("order_by",)
        name, text = ("--sort", order_by) if is_order else ("filter", filter)
        below = caret_below(text, error.column)
        raise Failure(f"{name}: {error.why} (column {error.column})", below=below) from error


def caret_below(text: str, column: int) -> tuple[str, str]:
    """A piece of `text` on one line, and below it a caret at `column`, counted from 1."""
    start = max(0, min(column - 1 - _SHOWN // 2, len(text) - _SHOWN))
    before, behind = visible(text[start : column - 1]), visible(text[column - 1 : start + _SHOWN])
    lead = "…" if start else ""
    tail = "…" if start + _SHOWN < len(text) else ""
    return f"  {lead}{before}{behind}{tail}", " " * (2 + len(lead) + width_of(before)) + "^"
