"""Checks what a script logs: names, numbers, steps."""

from __future__ import annotations

import operator
from typing import Any

from pydantic_core import PydanticCustomError

from tracker.domain.artifacts.paths import LONGEST_NAME, safe
from tracker.domain.errors import Invalid
from tracker.domain.text import storable

__all__ = ["artifact_name", "metric_name", "number", "step_of"]

LONGEST = 255
LONGEST_SHOWN = 60
LONGEST_SUFFIX = len("@rank9999999")


def metric_name(key: object, *, rank: int = 0) -> str:
    """A name that every store keeps.

    Raises:
        Invalid: it is none.
    """
    longest = LONGEST - LONGEST_SUFFIX if rank else LONGEST
    if not isinstance(key, str) or not 1 <= len(key) <= longest:
        raise Invalid.field("name", f"{key!r} is not a name of 1 to {longest} characters")
    try:
        return storable(key)
    except PydanticCustomError as error:  # found here, it costs this value and not its whole batch
        raise Invalid.field("name", error.message()) from error


def artifact_name(name: object) -> str:
    """A name that an artifact can have.

    Raises:
        Invalid: it is none. Found here, the line that gave it is named; the store would refuse it when the
            script is long past it.
    """
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME:
        shown = repr(name)
        shown = shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}..."
        raise Invalid.field("name", f"{shown} is not a name of 1 to {LONGEST_NAME} characters")
    try:
        return safe(name)
    except PydanticCustomError as error:
        raise Invalid.field("name", error.message()) from error


def number(name: object, value: Any) -> float:
    """A number as float64.

    Raises:
        Invalid: it is none; names it and says what it is.
    """
    if isinstance(value, str | bytes):  # float() would read these, but nobody measures text
        raise Invalid.field(str(name), "must be a number, not text; run.text() keeps text")
    try:
        return float(value)
    except Exception as error:  # whatever the object's own __float__ raises
        raise Invalid.field(str(name), f"must be a number, not {type(value).__name__}") from error


def step_of(value: Any) -> int:
    """A step as an integer of 64 bits.

    Raises:
        Invalid: it is none.
    """
    try:
        step = operator.index(value)
    except TypeError as error:
        raise Invalid.field("step", f"must be an integer, not {type(value).__name__}") from error
    if not -(2**63) <= step < 2**63:
        raise Invalid.field("step", "must fit into 64 bits")
    return step
