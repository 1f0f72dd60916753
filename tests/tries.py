"""How hard property tests try: as hard as a quick suite allows, and many times as hard in CI."""

from __future__ import annotations

import os

__all__ = ["tries"]

_TIMES = int(os.environ.get("TEST_TRIES", "1"))


def tries(usual: int) -> int:
    """Examples of a property: the `usual` number, times ``TEST_TRIES``."""
    return usual * _TIMES
