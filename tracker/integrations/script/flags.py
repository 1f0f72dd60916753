"""A command line's flags as parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["params_of", "typed"]

_FLAG = re.compile(r"--?(?P<name>[A-Za-z][\w.-]*)(?:=(?P<value>.*))?", re.DOTALL)
_SETTING = re.compile(r"\+{0,2}(?P<name>[A-Za-z_][\w./@-]*)=(?P<value>.*)", re.DOTALL)


def params_of(arguments: Sequence[str]) -> dict[str, Any]:
    """The parameters in a script's arguments, each of the type that it reads like.

    ``--lr 0.1`` and ``--lr=0.1`` are the number ``lr``, ``--flag`` is true, and dashes within a name
    become underscores, as argparse has it. Several values of one flag are one text. ``lr=0.1``, as Hydra
    writes it, is a parameter as well. What belongs to no flag is the text ``args``.

    >>> params_of(["--lr", "1e-3", "--use-amp", "--layers", "64", "32", "opt.name=adam"])
    {'lr': 0.001, 'use_amp': True, 'layers': '64 32', 'opt.name': 'adam'}
    """
    found: dict[str, list[str]] = {}
    for name, value in _pairs(arguments):
        values = found.setdefault(name, [])
        if value is not None:
            values.append(value)
    return {name: _value(values) for name, values in found.items()}


def typed(text: str) -> Any:
    """`text` as the bool, number or ``None`` that it reads like, else as it is.

    Numbers are written as JSON and Python write them: ``1``, ``-0.5``, ``1e-3``, ``.5``; not finite ones
    are text, since no parameter may be one. ``007`` is text.
    """
    known = {"true": True, "false": False, "none": None, "null": None}
    if text.lower() in known:
        return known[text.lower()]
    if re.fullmatch(r"[-+]?(0|[1-9][0-9]*)", text):
        number = int(text)
        return number if -(2**63) <= number < 2**63 else text
    if re.fullmatch(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]+)?", text):
        if re.match(r"[-+]?0[0-9]", text):
            return text
        value = float(text)
        return value if abs(value) != float("inf") else text
    return text


def _pairs(arguments: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Names and values, in order; a flag comes once without a value and once with each it has."""
    flag: str | None = None
    flags_end = False
    for text in arguments:
        if text == "--" and not flags_end:
            flag, flags_end = None, True
            continue
        match = None if flags_end else _FLAG.fullmatch(text)
        setting = None if match else _SETTING.fullmatch(text)
        if match and match["value"] is not None:
            flag = None
            yield _named(match["name"]), match["value"]
        elif match:
            flag = _named(match["name"])
            yield flag, None
        elif setting and (flag is None or not _is_path(setting["name"])):
            flag = None
            yield setting["name"], setting["value"]
        else:
            yield flag or "args", text


def _value(values: Sequence[str]) -> Any:
    if not values:
        return True
    return typed(values[0]) if len(values) == 1 else " ".join(map(_quoted, values))


def _named(name: str) -> str:
    return name.replace("-", "_")


def _is_path(name: str) -> bool:
    return "/" in name


def _quoted(text: str) -> str:
    return json.dumps(text) if not text or " " in text else text
