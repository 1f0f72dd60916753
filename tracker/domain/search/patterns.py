"""Patterns of text, matched in linear time whatever they are.

They are run by the regular expressions of Rust that pydantic brings along: finite automata without
back references or look-around. That is also why no database matches them: SQLite has no regular expressions,
PostgreSQL has others, and upper and lower case differ everywhere.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from pydantic_core import SchemaError, SchemaValidator, core_schema

from tracker.domain.errors import Invalid

__all__ = ["Pattern", "PatternKind"]

_LONGEST = 200
_MOST_REPEATED = 100


class PatternKind(StrEnum):
    """How a pattern is written."""

    LIKE = "like"
    ILIKE = "ilike"
    MATCHES = "matches"


class Pattern(NamedTuple):
    """A pattern as it is written in a filter.

    Attributes:
        kind: ``like`` and ``ilike`` (whatever the case) fit a whole text: ``%`` stands for any text,
            ``_`` for one character, a backslash takes away such a meaning. ``matches`` is a regular
            expression that fits anywhere.
        text: the pattern.
    """

    kind: PatternKind
    text: str

    def check(self) -> Pattern:
        """Lets pass what can be matched.

        Raises:
            Invalid: it is no regular expression of this kind, or too large.
        """
        _compiled(self)
        return self

    def fits(self, text: str) -> bool:
        """Whether `text` fits."""
        return _compiled(self).isinstance_python(text)


# Few, since one may take some megabytes; a filter has fewer.
@lru_cache(maxsize=16)
def _compiled(pattern: Pattern) -> SchemaValidator:
    if len(pattern.text) > _LONGEST:
        raise Invalid.field("filter", f"a pattern has at most {_LONGEST} characters")
    expression = pattern.text if pattern.kind is PatternKind.MATCHES else _expression(pattern)
    if pattern.kind is PatternKind.MATCHES and _repeated(pattern.text) > _MOST_REPEATED:
        raise Invalid.field("filter", f"a pattern repeats things at most {_MOST_REPEATED} times in all")
    try:
        return SchemaValidator(core_schema.str_schema(pattern=expression, regex_engine="rust-regex"))
    except (SchemaError, ValueError) as error:
        raise Invalid.field(
            "filter", f"{pattern.text!r} is no regular expression that takes linear time"
        ) from error


def _repeated(text: str) -> int:
    """What the counts of an expression come to: each makes a copy of what it repeats."""
    # Braces behind \\x and the like hold a character.
    braces = re.findall(r"(?<!\\[xuU])\{[0-9, ]+\}", text)
    counts = (re.findall(r"[0-9]+", each)[-1:] for each in braces)
    return sum(int(count[0][:9]) for count in counts if count)


def _expression(pattern: Pattern) -> str:
    flags = "is" if pattern.kind is PatternKind.ILIKE else "s"
    parts = re.findall(r"%+|\\.|.", pattern.text, re.DOTALL)
    return rf"(?{flags})\A{''.join(map(_expressed, parts))}\z"


def _expressed(part: str) -> str:
    if part.startswith("%"):
        return ".*"
    return "." if part == "_" else _literal(part[-1])


def _literal(character: str) -> str:
    return rf"\x{{{ord(character):x}}}"
