"""Why a run ended, from the exception that ended it."""

from __future__ import annotations

import traceback
from typing import NamedTuple

from tracker.domain.experiments.ending import EndKind, shortened

__all__ = ["Ending", "is_clean_exit", "reason_of"]


class Ending(NamedTuple):
    """How a run ended.

    Attributes:
        kind: what ended it.
        reason: why, in words; at most 2,000 characters.
    """

    kind: EndKind
    reason: str


def is_clean_exit(error: BaseException) -> bool:
    """Whether this is how a script leaves that has nothing to complain of: ``sys.exit()``."""
    return isinstance(error, SystemExit) and error.code in (None, 0)


def reason_of(error: BaseException) -> Ending:
    """The reason that an exception gives: its type, its text and the line that raised it.

    Whatever the exception is like, this raises nothing.
    """
    where = _where(error)
    if isinstance(error, KeyboardInterrupt):
        return Ending(EndKind.INTERRUPTED, shortened(f"interrupted by Ctrl-C (SIGINT){where}"))
    if isinstance(error, SystemExit):
        return Ending(EndKind.OTHER, shortened(f"the script left with exit status {_text(error)}{where}"))
    text = _text(error)
    named = f"{_name(type(error))}: {text}" if text else _name(type(error))
    return Ending(EndKind.EXCEPTION, _fitting(named, where))


def _fitting(named: str, where: str) -> str:
    """Both parts: of a text that is too long, not the place is cut."""
    room = len(shortened("x" * 10_000)) - len(where)
    if len(named) <= room or room < 100:
        return shortened(named + where)
    return shortened(named[: room - 4].rstrip() + " ..." + where)


def _name(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(its text cannot be shown)"


def _where(error: BaseException) -> str:
    try:
        frames = traceback.extract_tb(error.__traceback__, limit=-1)
    except Exception:
        return ""
    if not frames:
        return ""
    (last,) = frames
    source = f": {last.line}" if last.line else ""
    return f"\nin {last.name}, {last.filename}:{last.lineno}{source}"
