"""What an event says: when, at which step, and of which summaries.

Field numbers are those of TensorBoard's event.proto, summary.proto and the hparams plugin's
plugin_data.proto and api.proto.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tracker.importers.protobuf import Malformed, Value, double, fields, float32, signed, text, varints
from tracker.importers.tensorboard.tensors import value_in

__all__ = ["Event", "Restart", "SessionEnd", "SessionStart", "Summary", "event_of"]

_DATA_CLASS_SCALAR = 1
# wall_time, step, and the lengths of summary, value and tag, each of one byte.
_ONE_NUMBER = re.compile(
    rb"\x09(.{8})(?:\x10([\x80-\xff]{0,9}[\x00-\x7f]))?\x2a([\x00-\x7f])\x0a([\x00-\x7f])\x0a([\x00-\x7f])",
    re.DOTALL,
)
_FLOAT = 0x15
_SESSION_LOG_START = 1
_KINDS = {3: "histogram", 4: "image", 5: "histogram", 6: "audio"}
_HPARAMS = "hparams"


@dataclass(frozen=True)
class Summary:
    """One value under a tag.

    Attributes:
        tag: its name.
        number: the scalar; ``None`` where it is something else.
        kind: what it is: ``scalar``, ``image``, ``histogram``, ``audio``, the name of the plugin that made
            it, or empty where the event does not say, but an earlier one of the same tag may have.
    """

    tag: str
    number: float | None
    kind: str


@dataclass(frozen=True)
class SessionStart:
    """Hyperparameters of a run, by the hparams plugin."""

    params: dict[str, Any]
    started: float


@dataclass(frozen=True)
class SessionEnd:
    """How a run ended, by the hparams plugin: 1 = well, 2 = badly."""

    status: int
    ended: float


@dataclass(frozen=True)
class Restart:
    """The writer began again at a step: what it wrote before at that step and later does not count."""


@dataclass(frozen=True)
class Event:
    """One record of a file.

    Attributes:
        time: seconds since 1970.
        step: int64.
        items: what it holds.
    """

    time: float
    step: int
    items: tuple[Summary | SessionStart | SessionEnd | Restart, ...]


def event_of(record: bytes) -> Event:
    """The event in a record.

    Raises:
        Malformed: it is none.
    """
    simple = _simple(record)
    if simple is not None:
        return simple
    time, step = 0.0, 0
    items: list[Summary | SessionStart | SessionEnd | Restart] = []
    for number, value in fields(record):
        if number == 1:
            time = double(value)
        elif number == 2:
            step = signed(value)
        elif number == 5:
            for key, entry in fields(_message(value)):
                if key == 1:
                    items.extend(_summaries(_message(entry)))
        elif number == 7 and dict(fields(_message(value))).get(1) == _SESSION_LOG_START:
            items.append(Restart())
    return Event(time, step, tuple(items))


def _simple(record: bytes) -> Event | None:
    """The event with one plain number, as nearly all are, in a tenth of the time; ``None`` for any other."""
    found = _ONE_NUMBER.match(record)
    if found is None:
        return None
    start = found.end()
    stop = start + found[5][0]
    size = len(record)
    # Tag, then the number and nothing more; and the lengths around it say the same.
    if stop + 5 != size or record[stop] != _FLOAT or found[3][0] != size - found.end(3):
        return None
    if found[4][0] != size - found.end(4):
        return None
    step = 0 if found[2] is None else signed(varints(found[2])[0])
    number = float32(record[stop + 1 :])
    return Event(double(found[1]), step, (Summary(text(record[start:stop]), number, "scalar"),))


def _message(value: Value) -> bytes:
    if isinstance(value, int):
        raise Malformed("a number where a message should be")
    return value


def _summaries(message: bytes) -> Iterator[Summary | SessionStart | SessionEnd]:
    told = dict(fields(message))
    plugin, content, data_class = _plugin(_message(told.get(9, b"")))
    if plugin == _HPARAMS:
        yield from _session(content)
        return
    tag = text(told.get(1, b""))
    if 2 in told:
        yield Summary(tag, float32(told[2]), "scalar")
    elif 8 in told:
        yield _of_tensor(tag, _message(told[8]), plugin, data_class)
    else:
        yield Summary(tag, None, next((_KINDS[key] for key in told if key in _KINDS), plugin))


def _of_tensor(tag: str, tensor: bytes, plugin: str, data_class: int) -> Summary:
    is_scalar = data_class == _DATA_CLASS_SCALAR or plugin == "scalars"
    kind = "scalar" if is_scalar else plugin.removesuffix("s")
    return Summary(tag, value_in(tensor) if is_scalar or not plugin else None, kind)


def _plugin(metadata: bytes) -> tuple[str, bytes, int]:
    name, content, data_class = "", b"", 0
    for key, value in fields(metadata):
        if key == 1:
            told = dict(fields(_message(value)))
            name, content = text(told.get(1, b"")), _message(told.get(2, b""))
        elif key == 4 and isinstance(value, int):
            data_class = value
    return name, content, data_class


def _session(content: bytes) -> Iterator[SessionStart | SessionEnd]:
    for key, value in fields(content):
        if key == 3:
            params, started = {}, 0.0
            for number, entry in fields(_message(value)):
                if number == 1:
                    pair = dict(fields(_message(entry)))
                    params[text(pair.get(1, b""))] = _json_value(_message(pair.get(2, b"")))
                elif number == 5:
                    started = double(entry)
            yield SessionStart(params, started)
        elif key == 4:
            told = dict(fields(_message(value)))
            ended = double(told[2]) if 2 in told else 0.0
            yield SessionEnd(signed(told.get(1, 0)), ended)


def _json_value(message: bytes) -> Any:
    """A ``google.protobuf.Value``."""
    for key, value in fields(message):
        if key == 2:
            number = double(value)
            return int(number) if number.is_integer() and abs(number) < 2**53 else number
        if key == 3:
            return text(value)
        if key == 4:
            return bool(value)
        if key == 6:
            return [_json_value(_message(each)) for at, each in fields(_message(value)) if at == 1]
        if key == 5:
            pairs = [dict(fields(_message(entry))) for at, entry in fields(_message(value)) if at == 1]
            return {text(pair.get(1, b"")): _json_value(_message(pair.get(2, b""))) for pair in pairs}
    return None
