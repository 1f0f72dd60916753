"""Keys in parts, since SQLite and PostgreSQL both bound the parameters of a statement."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

__all__ = ["in_parts"]

_KEYS_A_QUERY = 500
_Key = TypeVar("_Key")


def in_parts(keys: Collection[_Key]) -> Iterator[Sequence[_Key]]:
    """All of them, few enough at a time."""
    every = list(keys)
    for start in range(0, len(every), _KEYS_A_QUERY):
        yield every[start : start + _KEYS_A_QUERY]
