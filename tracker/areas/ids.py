"""Ids as scripts may give them."""

from __future__ import annotations

from uuid import UUID

from tracker.domain.errors import Invalid

__all__ = ["Id", "uuid_of"]

Id = UUID | str


def uuid_of(value: Id, field: str) -> UUID:
    """The id that `value` is or spells.

    Raises:
        Invalid: it is neither; names `field`.
    """
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise Invalid.field(field, f"{value!r} is not an id", "uuid_parsing") from error
