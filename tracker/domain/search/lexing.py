"""From the text of a filter to its words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from tracker.domain.errors import QuerySyntax

__all__ = ["LONGEST", "Kind", "Token", "tokens"]

LONGEST = 10_000
"""Characters of a filter."""


class Kind(StrEnum):
    """What a word is."""

    NAME = "name"
    NUMBER = "number"
    TEXT = "text"
    SIGN = "sign"
    END = "end"


class Token(NamedTuple):
    """A word of a filter.

    Attributes:
        text: as it stands there; of a text, what its quotes hold.
        parts: of a name, what its dots part, without backticks.
        is_quoted: whether a name has backticks, so that it is no keyword.
        column: where it begins, from 1.
    """

    kind: Kind
    text: str
    column: int
    parts: tuple[str, ...] = ()
    is_quoted: bool = False

    @property
    def word(self) -> str:
        """A keyword in small letters; empty for anything that cannot be one."""
        return self.text.lower() if self.kind is Kind.NAME and not self.is_quoted else ""


_PART = r"(?:[\w][\w/:-]*|`[^`]+`)"
_WORD = re.compile(
    rf"""
    (?P<number> [+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.]) )
  | (?P<text> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
  | (?P<name> (?:[^\W\d][\w/:-]*|`[^`]+`)(?:\.{_PART})* )
  | (?P<sign> <= | >= | != | == | [=<>()\[\],+-] )
    """,
    re.VERBOSE | re.DOTALL,
)
_NAME_PART = re.compile(rf"\.?({_PART})")
_SPACE = re.compile(r"\s*")
_NOT_STORED = re.compile("[\x00\ud800-\udfff]")  # what :func:`~tracker.domain.text.storable` refuses


def tokens(text: str) -> Iterator[Token]:
    """The words of a filter, an end last.

    Raises:
        QuerySyntax: something in it is no word; names the column.
    """
    if len(text) > LONGEST:
        raise QuerySyntax(f"is longer than {LONGEST} characters", LONGEST + 1)
    if (odd := _NOT_STORED.search(text)) is not None:
        raise QuerySyntax(f"{odd[0]!r} is in no text that could be kept", odd.start() + 1)
    at = 0
    while (at := _after_space(text, at)) < len(text):
        found = _WORD.match(text, at)
        if found is None:
            raise QuerySyntax(_why_no_word(text[at]), at + 1)
        yield _token(Kind(str(found.lastgroup)), found[0], at + 1)
        at = found.end()
    yield Token(Kind.END, "", len(text) + 1)


def _after_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _token(kind: Kind, text: str, column: int) -> Token:
    if kind is Kind.TEXT:
        # Other backslashes stay: patterns have a use for them.
        return Token(kind, re.sub(r"""\\(["'\\])""", r"\1", text[1:-1]), column)
    if kind is Kind.NAME:
        parts = tuple(part.strip("`") for part in _NAME_PART.findall(text))
        return Token(kind, text, column, parts, "`" in text)
    return Token(kind, "=" if text == "==" else text, column)


def _why_no_word(character: str) -> str:
    if character in "\"'":
        return "this text has no closing quote"
    if character == "`":
        return "this name has no closing backtick, or nothing in it"
    if character.isdigit() or character == ".":
        return "this is no number"
    return f"{character!r} means nothing here"
