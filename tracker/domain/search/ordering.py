"""The order of a result, and the place in it where a page ended."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, NamedTuple, TypeVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, TypeAdapter

from tracker.domain.errors import Invalid
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.search.operands import TIMES
from tracker.domain.search.query import Builtin, Column, Filter, OrderKey
from tracker.domain.text import storable

__all__ = [
    "NEWEST_FIRST",
    "SORTED_CHARACTERS",
    "Place",
    "Search",
    "SortValue",
    "arranged",
    "cursor_at",
    "is_behind",
    "place_of",
]

SortValue = tuple[int, float, str]
"""Rank of the type, number, text: of one type, one of the two is always the same."""

NEWEST_FIRST = (OrderKey(Column(Builtin.CREATED), descending=True),)

SORTED_CHARACTERS = 100
"""Texts are sorted by so many of their first characters."""

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FARTHEST = 6e16  # microseconds from 1970; the calendar ends not much farther back
StoredText = Annotated[str, StringConstraints(max_length=SORTED_CHARACTERS), AfterValidator(storable)]
_Row = TypeVar("_Row")


class Place(NamedTuple):
    """An experiment's place in an order.

    Attributes:
        values: one for each key; ``None`` = it has none, so it stands behind all that do.
        id: whose place it is; equal values are told apart by it, in the direction of the last key.
    """

    values: tuple[SortValue | None, ...]
    id: ExperimentId


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for.

    Attributes:
        projects: within these.
        measured: those of them whose metrics may be looked at; elsewhere no experiment has any.
        where: what has to hold, with every relation looked up.
        order: at least one key.
        limit: at most so many.
        after: only what stands behind this place.
        now: how long a run has lasted that has not ended.
    """

    projects: tuple[ProjectId, ...]
    measured: frozenset[ProjectId]
    where: Filter
    order: tuple[OrderKey, ...]
    limit: int
    after: Place | None
    now: datetime


def arranged(rows: Iterable[_Row], order: Sequence[OrderKey], place: Callable[[_Row], Place]) -> list[_Row]:
    """The rows in their order."""
    found = sorted(rows, key=lambda row: place(row).id, reverse=order[-1].descending)
    for index in reversed(range(len(order))):
        present = [row for row in found if place(row).values[index] is not None]
        missing = [row for row in found if place(row).values[index] is None]
        present.sort(key=lambda row: place(row).values[index] or (), reverse=order[index].descending)
        found = present + missing
    return found


def is_behind(place: Place, other: Place, order: Sequence[OrderKey]) -> bool:
    """Whether `place` comes after `other`."""
    for value, before, key in zip(place.values, other.values, order, strict=True):
        if value == before:
            continue
        if value is None or before is None:
            return value is None
        return (value < before) is key.descending
    return (place.id < other.id) is order[-1].descending and place.id != other.id


def cursor_at(place: Place, question: object, now: datetime) -> str:
    """The text by which a client asks for what comes behind `place`.

    Args:
        place: of the last one that it was given.
        question: what was asked; the cursor is good for that alone.
        now: the present time of the first page, which counts for all: durations of running experiments
            would else overtake their own place.
    """
    content = json.dumps(
        [_digest(question), now.isoformat(), place.id.hex, place.values], separators=(",", ":")
    )
    return base64.urlsafe_b64encode(content.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def place_of(cursor: str, question: object, order: Sequence[OrderKey]) -> tuple[Place, datetime]:
    """The place that a cursor tells, and the time that counts as the present one.

    Raises:
        Invalid: it was not given for this question.
    """
    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        found = _CURSOR.validate_json(content)
    except (ValueError, binascii.Error):
        found = None
    if (
        found is None
        or found.digest != _digest(question)
        or len(found.values) != len(order)
        or not all(map(_can_have, order, found.values))
    ):
        raise Invalid.field("cursor", "was not given for this search; leave it out to begin anew")
    return Place(found.values, ExperimentId(found.id)), found.now


class _Cursor(NamedTuple):
    digest: str
    now: AwareDatetime
    id: UUID
    values: tuple[tuple[Annotated[int, Field(ge=0, le=2)], float, StoredText] | None, ...]


_CURSOR = TypeAdapter(_Cursor)


def _can_have(key: OrderKey, value: SortValue | None) -> bool:
    """Whether a value, which a client may have made up, is one that the key's operand can have."""
    if value is None or not isinstance(key.operand, Column):
        return True
    if key.operand.field is Builtin.ID:
        return _UUID.fullmatch(value[2]) is not None
    return key.operand.field not in TIMES or abs(value[1]) < _FARTHEST


def _digest(question: object) -> str:
    return hashlib.sha256(repr(question).encode("utf-8", "surrogatepass")).hexdigest()[:16]
