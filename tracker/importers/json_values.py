"""Numbers and the rest, out of the JSON in which tools keep what was logged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["leaves", "number_of", "parsed"]


def parsed(text: str | bytes) -> Any:
    """The value in JSON, also where it has NaN and infinities, and with the sign of a zero.

    Raises:
        ValueError: it holds none.
    """
    return json.loads(text, parse_int=lambda digits: -0.0 if digits == "-0" else int(digits))


def number_of(value: Any) -> float | None:
    """`value` as a float64 if it is a number, or true or false; ``None`` for all else."""
    if isinstance(value, bool | int | float):
        try:
            return float(value)
        except OverflowError:
            return None
    return None


def leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested objects as dotted names; one with a ``_type`` (an image, a table) is a leaf."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value and "_type" not in value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
