"""Text that every database can keep, and the lengths the fields of the API allow."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

__all__ = ["Description", "Label", "MetricName", "Name", "Tag", "storable"]


def storable(text: str) -> str:
    """Refuses what UTF-8 or PostgreSQL cannot hold.

    Raises:
        PydanticCustomError: `text` has a NUL character or half of a surrogate pair.
    """
    if "\x00" in text:
        raise PydanticCustomError("text_nul", "text must not contain the NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("text_surrogate", "text must not contain lone surrogates") from None
    return text


Name = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(storable)]
Description = Annotated[str, StringConstraints(max_length=1000), AfterValidator(storable)]
MetricName = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(storable)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(storable)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(storable)]
