"""Random bits of the operating system, fetched for many at once."""

from __future__ import annotations

import os
import struct
from weakref import WeakSet

__all__ = ["RandomBits"]

_AT_ONCE = 256


class RandomBits:
    """For names, not for secrets: what is to come lies in memory.

    Each visit to the system lets another thread in, who may keep Python for milliseconds; so there is
    one for many names. Safe for threads; a forked process does not go on with those of its parent.
    """

    def __init__(self) -> None:
        self._left: list[int] = []
        _all.add(self)

    def forget(self) -> None:
        """Has what comes next be fetched anew."""
        self._left = []

    def next64(self) -> int:
        """The next 64."""
        try:
            return self._left.pop()
        except IndexError:
            fresh: list[int] = list(struct.unpack(f"{_AT_ONCE}Q", os.urandom(8 * _AT_ONCE)))
            bits = fresh.pop()
            self._left = fresh
            return bits


_all: WeakSet[RandomBits] = WeakSet()


def _forget_all() -> None:
    for bits in list(_all):
        bits.forget()


os.register_at_fork(after_in_child=_forget_all)
