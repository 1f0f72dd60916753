"""Reads a series over another one, or the ranks of a job as one; in process and against a server alike."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection

from tracker.areas.ids import word_of
from tracker.domain.errors import Invalid
from tracker.domain.scalars.joining import against
from tracker.domain.scalars.ranks import Over, over_ranks, rank_of, ranks_by_name
from tracker.domain.scalars.series import Series

__all__ = ["read_over"]

_AT_ONCE = 16


async def read_over(
    read: Callable[[str], Awaitable[Series]],
    names: Callable[[], Awaitable[Collection[str]]],
    name: str,
    *,
    x: str | None,
    ranks: Over | str | None,
) -> Series:
    """What :meth:`tracker.areas.AsyncScalars.read` gives with `x` or `ranks`.

    Args:
        read: gives a whole series of an experiment; an empty one where there is none.
        names: gives those of all its series.
        name: of the scalar, without a rank where `ranks` is given.
        x: the scalar on whose axis it is put.
        ranks: what becomes of the values that several ranks have at one step.

    Raises:
        Invalid: `ranks` is no such word or `name` names a rank itself, or there is no scalar `x`.
    """
    how = None if ranks is None else word_of(Over, ranks, "ranks")
    if how is not None and rank_of(name)[1]:
        raise Invalid.field("name", f"{name!r} is one rank's; give {rank_of(name)[0]!r} to have all of them")
    found = await (read(name) if how is None else _aggregated(read, names, name, how))
    if x is None:
        return found
    axis = await read(x)
    if not len(axis):
        raise Invalid.field("x", f"the experiment has no scalar {x!r}")
    return against(found, axis)


async def _aggregated(
    read: Callable[[str], Awaitable[Series]],
    names: Callable[[], Awaitable[Collection[str]]],
    name: str,
    how: Over,
) -> Series:
    ranked = ranks_by_name(await names()).get(name) or [name]
    found: list[Series] = []
    for start in range(0, len(ranked), _AT_ONCE):
        found += await asyncio.gather(*(read(each) for each in ranked[start : start + _AT_ONCE]))
    return over_ranks(found, how)
