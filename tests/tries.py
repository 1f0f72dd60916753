"""How hard property tests try: as hard as a quick suite allows, and several times as hard in CI."""

from __future__ import annotations

import os

__all__ = ["tries"]

_TIMES = float(os.environ.get("TEST_TRIES", "0.5"))
_FEWEST = 5


def tries(usual: int) -> int:
    """Examples of a property: the `usual` number, times ``TEST_TRIES``; half of it in the quick suite."""
    return max(_FEWEST, round(usual * _TIMES))
