"""Instants, events and outcomes of rows as few bytes."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tracker.domain.evaluation.events import Cause, Event
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome

__all__ = [
    "duration_of", "events_of", "instant_of", "microseconds", "outcome_of", "packed_events",
    "packed_outcome", "since_1970",
]  # fmt: skip

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# By position, so that thousands of rows do not repeat the names; a new field goes to the end.
_FIELDS = (
    "number", "input_hash", "prediction", "reasoning", "error", "input_tokens", "output_tokens",
    "reasoning_tokens", "cost", "seconds", "tries", "attempt",
)  # fmt: skip
_LONG = 1024  # bytes, from which on zlib is worth its time
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_JSON = b"["  # zlib never begins with it


def microseconds(length: timedelta) -> int:
    """A length of time as a whole number."""
    return length // _MICROSECOND


def duration_of(count: int) -> timedelta:
    """Back from :func:`microseconds`."""
    return timedelta(microseconds=count)


def since_1970(instant: datetime) -> int:
    """An instant as a whole number of microseconds."""
    return (instant - _EPOCH) // _MICROSECOND


def instant_of(count: int) -> datetime:
    """Back from :func:`since_1970`."""
    return _EPOCH + timedelta(microseconds=count)


def packed_events(events: Sequence[Event]) -> list[list[Any]]:
    """A log as JSON."""
    return [
        [since_1970(event.at), str(event.status), event.cause.value, event.why, event.attempt]
        for event in events
    ]


def events_of(packed: Sequence[Sequence[Any]]) -> tuple[Event, ...]:
    """Back from :func:`packed_events`."""
    return tuple(
        Event(at=instant_of(at), status=status, cause=Cause(cause), why=why, attempt=attempt)
        for at, status, cause, why, attempt in packed
    )


def packed_outcome(outcome: RowOutcome) -> bytes:
    """What came of a row, as bytes."""
    fields = outcome.__dict__
    text = _json([since_1970(outcome.at), *(fields[name] for name in _FIELDS)]).encode()
    return text if len(text) < _LONG else zlib.compress(text, 1)


def outcome_of(packed: bytes) -> RowOutcome:
    """Back from :func:`packed_outcome`."""
    text = packed if packed.startswith(_JSON) else zlib.decompress(packed)
    at, *values = json.loads(text)
    return RowOutcome(at=instant_of(at), **dict(zip(_FIELDS, values, strict=True)))
