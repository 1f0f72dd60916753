"""What a filter may ask of: the names of fields, and the values that each can be compared with."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tracker.domain.errors import QuerySyntax
from tracker.domain.experiments.ending import EndKind
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.search.lexing import Token
from tracker.domain.search.query import Attribute, Builtin, Column, Measure, Operand, Source, Value, Which

__all__ = ["TAG_WORDS", "TEXTS", "TIMES", "WORDS", "measure", "operand_of", "spelled", "typed"]

TAG_WORDS = frozenset({"tag", "tags"})

TIMES = frozenset({Builtin.CREATED, Builtin.STARTED, Builtin.COMPLETED})
_NUMBERS = frozenset({Builtin.PROGRESS, Builtin.ORDER, Builtin.DURATION})

TEXTS = frozenset(
    {Builtin.NAME, Builtin.DESCRIPTION, Builtin.STATUS, Builtin.USER, Builtin.ENDED, Builtin.REASON}
)

WORDS = {Builtin.STATUS: tuple(Status), Builtin.ENDED: tuple(EndKind)}
"""Fields that are one of a few words, which need no quotes."""

_WORD_OF = {Builtin.STATUS: "status", Builtin.ENDED: "end of a run"}

_AGO = re.compile(r"-([0-9]{1,6})\s*(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PLAIN_PART = re.compile(r"[^\W\d][\w/:-]*")
_PLAIN_LATER_PART = re.compile(r"\w[\w/:-]*")


def operand_of(token: Token) -> Operand:
    """The field that a name names: one that all have, a parameter, a feature, or else a metric.

    Raises:
        QuerySyntax: it stops after ``params.``, ``features.`` or ``metrics.``.
    """
    if token.word in set(Builtin):
        return Column(Builtin(token.word))
    first, *rest = token.parts
    if first in (Source.PARAMS, Source.FEATURES, Source.METRICS):
        if not rest:
            raise QuerySyntax(f"{first} needs a name behind it: {first}.NAME", token.column)
        path = ".".join(rest)
        return Measure(path) if first == Source.METRICS else Attribute(Source(first), path)
    return Measure(".".join(token.parts))


def measure(operand: Operand, which: Which, token: Token) -> Measure:
    """Another number of a metric.

    Raises:
        QuerySyntax: `operand` is no metric.
    """
    if not isinstance(operand, Measure):
        raise QuerySyntax(f"{which}() takes a metric", token.column)
    return Measure(operand.name, operand.label, which)


def typed(operand: Operand, value: bool | float | str, column: int, now: datetime) -> Value:
    """`value` as what `operand` is compared with.

    Raises:
        QuerySyntax: it can never be one.
    """
    if isinstance(operand, Measure):
        return _number(value, "a metric is a number", column)
    if isinstance(operand, Attribute):
        if isinstance(value, float) and not math.isfinite(value):
            raise QuerySyntax("a parameter or feature is never nan or infinite", column)
        return value
    field = operand.field
    if field in _NUMBERS:
        number = _number(value, f"{field} is a number", column)
        if not math.isfinite(number):
            raise QuerySyntax(f"{field} is never nan or infinite", column)
        return number
    if not isinstance(value, str):
        raise QuerySyntax(f"{field} is compared with text in quotes", column)
    if field in TIMES:
        return _moment(value, column, now)
    if field is Builtin.ID:
        return _id(value, column)
    if field in WORDS and value not in WORDS[field]:
        known = ", ".join(WORDS[field])
        raise QuerySyntax(f"there is no {_WORD_OF[field]} {value!r}; there are {known}", column)
    return value


def _number(value: bool | float | str, why: str, column: int) -> float:
    if isinstance(value, bool | str):
        raise QuerySyntax(why, column)
    return value


def _id(text: str, column: int) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise QuerySyntax(f"{text!r} is no id", column) from error


def _moment(text: str, column: int, now: datetime) -> datetime:
    """A date or time in ISO 8601, UTC unless it says otherwise; or ``-7d``: so long before `now`."""
    ago = _AGO.fullmatch(text)
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text)
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise QuerySyntax(
            f"{text!r} is no time; write 2026-01-31, 2026-01-31T12:00:00 or -7d (s, m, h, d, w)", column
        ) from error


def spelled(operand: Operand) -> str:
    """How a filter names `operand`, in backticks where it must."""
    if isinstance(operand, Column):
        return operand.field
    if isinstance(operand, Attribute):
        return f"{operand.source}.{_path(operand.path)}"
    # A plain name is enough, unless something else has it.
    name = f"{Source.METRICS}.{_path(operand.name)}"
    label = "" if operand.label is None else f"[{_label(operand.label)}]"
    whole = f"{name}{label}"
    return whole if operand.which is Which.VALUE else f"{operand.which}({whole})"


def _path(path: str) -> str:
    parts = path.split(".")
    if all(map(_PLAIN_LATER_PART.fullmatch, parts)):
        return path
    if "`" in path or not path:
        return path  # nothing can name it; it is shown as it is
    return f"`{path}`"


def _label(label: str) -> str:
    if _PLAIN_PART.fullmatch(label):
        return label
    escaped = re.sub(r'(["\\])', r"\\\1", label)
    return f'"{escaped}"'
