"""What workers ask of the desk; messages with entities are in :mod:`tracker.desk_wire`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from tracker.desk_wire import PAGE

from .wire import WHOLE, Closed, Json

__all__ = ["AdmitIn", "BeginIn", "KeepIn", "RememberedIn", "RowsQuery"]

_Key = Annotated[str, Field(strict=True, pattern=r"^[0-9a-f]{64}$")]
_Row = Annotated[int, Field(strict=True, ge=0, lt=2**31), WHOLE]


class AdmitIn(Closed):
    """The handle of an errand."""

    handle: Annotated[str, Field(strict=True, min_length=1, max_length=200, repr=False)]


class BeginIn(Closed):
    """That an attempt runs."""

    rows_total: _Row | None = None


class RememberedIn(Closed):
    """Of which cache keys answers are wanted."""

    keys: Annotated[list[_Key], Field(max_length=PAGE)]


class KeepIn(Closed):
    """What came of rows, and the cache keys of those to be remembered."""

    outcomes: Annotated[list[Json], Field(max_length=10_000)]
    keys: dict[str, Any] = Field(default_factory=dict)


class RowsQuery(Closed):
    """Some of the rows, by number."""

    after: Annotated[int, Field(ge=0, lt=2**31)] = 0
    limit: Annotated[int, Field(ge=1, le=PAGE)] = PAGE
