"""Text that every database can keep, and the lengths the fields of the API allow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, TypeVar

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

__all__ = [
    "Description",
    "Label",
    "MetricKey",
    "MetricName",
    "MetricNames",
    "Name",
    "Tag",
    "all_storable",
    "storable",
]

_Texts = TypeVar("_Texts", bound=Iterable[str])


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


def all_storable(texts: _Texts) -> _Texts:
    """Refuses what :func:`storable` refuses, in one go: a log has hundreds of names.

    Raises:
        PydanticCustomError: one of `texts` cannot be kept.
    """
    storable("".join(texts))
    return texts


Name = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(storable)]
Description = Annotated[str, StringConstraints(max_length=1000), AfterValidator(storable)]
MetricName = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(storable)]
MetricKey = Annotated[str, StringConstraints(min_length=1, max_length=255)]
"""A metric's name within a collection that is checked by :func:`all_storable`."""

MetricNames = Annotated[tuple[MetricKey, ...], AfterValidator(all_storable)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(storable)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(storable)]
