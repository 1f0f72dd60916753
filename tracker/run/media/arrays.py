"""Numbers as numpy, from whatever holds them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.domain.errors import Invalid

__all__ = ["array_of", "is_tensor"]


def is_tensor(value: Any) -> bool:
    """Whether it is torch's or of its kind, where channels come first."""
    return hasattr(value, "detach") and hasattr(value, "cpu")


def array_of(value: Any, field: str) -> NDArray[Any]:
    """A numpy array of bools, whole or real numbers.

    Args:
        value: an array of any library that numpy can read, a tensor on any device, or nested lists.
        field: how it is called in an error.

    Raises:
        Invalid: it holds anything but numbers.
    """
    try:
        if is_tensor(value):
            value = value.detach().cpu()
            if "bfloat16" in str(getattr(value, "dtype", "")):  # which numpy does not know
                value = value.float()
        found = np.asarray(value)
    except Exception as error:  # what numpy and others raise is their own affair
        kind = type(value).__qualname__
        raise Invalid.field(field, f"must be numbers, not a {kind} ({error})") from error
    if found.dtype.kind not in "biuf":
        raise Invalid.field(field, f"must be numbers, not {type(value).__qualname__} of {found.dtype}")
    return found
