"""Ids and words as scripts may give them."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from tracker.domain.errors import Invalid

__all__ = ["Id", "uuid_of", "word_of"]

Id = UUID | str
_Word = TypeVar("_Word", bound=StrEnum)


def uuid_of(value: Id, field: str) -> UUID:
    """The id that `value` is or spells.

    Raises:
        Invalid: it is neither; names `field`.
    """
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise Invalid.field(field, f"{value!r} is not an id", "uuid_parsing") from error


def word_of(kind: type[_Word], value: str, field: str) -> _Word:
    """The member of `kind` that `value` is or spells.

    Raises:
        Invalid: there is none; names `field`.
    """
    try:
        return kind(value)
    except ValueError as error:
        raise Invalid.field(field, f"must be one of {', '.join(kind)}", "enum") from error
