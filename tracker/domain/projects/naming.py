"""Naming patterns: what an experiment's name says about its number, parent and change.

A pattern is text with named fields in braces, such as ``{num}_from_{parent}_{change}``. A field
takes the shortest text that lets the rest match; ``{num}`` takes digits only. A project has any
number of patterns, of which the first that matches a name counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from tracker.domain.errors import Invalid
from tracker.domain.ids import ExperimentId

__all__ = [
    "DEFAULT_PATTERN", "NUMBER_FIELD", "Family", "NameMatch", "check_pattern", "number_of", "numbered",
    "parse_name", "part_of_name", "read_name", "wants_number",
]  # fmt: skip

DEFAULT_PATTERN = "{num}_from_{parent}_{change}"
NUMBER_FIELD = "{num}"

_LONGEST_NAME = 100
_FIELD = re.compile(r"\{([^{}]*)\}")
_LEADING_DIGITS = re.compile(r"[0-9]+(?![0-9])")


class NameMatch(NamedTuple):
    """A name as a pattern reads it."""

    pattern: str
    fields: Mapping[str, str]


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression that takes no more than quadratic time around ``{num}``.

    A field and the text behind it are found at the first place there is, and never again further on
    (``(?>...)``): where the rest fits behind a later place, it fits behind the first. That does not
    hold for what stands right before ``{num}``, since not every text behind it is a number.
    """
    pieces = _FIELD.split(pattern)  # text, field, text, ..., field, text
    fields, texts = pieces[1::2], pieces[2::2]
    parts = [re.escape(pieces[0])]
    for index, (name, text) in enumerate(zip(fields, texts, strict=True)):
        field = f"(?P<{name}>[0-9]+)" if name == "num" else f"(?P<{name}>.+?)"
        is_last = index == len(fields) - 1
        keeps = name == "num" or is_last or fields[index + 1] == "num"
        parts.append(f"{field}{re.escape(text)}" if keeps else f"(?>{field}{re.escape(text)})")
    return re.compile("".join(parts), re.DOTALL)


def check_pattern(pattern: str) -> str:
    """Refuses a pattern that cannot be read.

    Raises:
        Invalid: it is empty, a brace is not closed, a field's name is not an identifier or stands
            twice, two fields touch, or there are more than eight fields.
    """
    names = _FIELD.findall(pattern)
    literal = _FIELD.sub("", pattern)
    if not pattern:
        raise Invalid.field("naming_patterns", "a pattern is empty; leave the list empty for free names")
    if "{" in literal or "}" in literal:
        raise Invalid.field("naming_patterns", "has a brace without its partner")
    for name in names:
        if not (name.isascii() and name.isidentifier()):
            raise Invalid.field("naming_patterns", f"field {{{name}}} is not a name")
    if len(set(names)) != len(names):
        raise Invalid.field("naming_patterns", "names a field twice")
    if "}{" in pattern:
        raise Invalid.field("naming_patterns", "needs text between two fields")
    if len(names) > 8:
        raise Invalid.field("naming_patterns", "has more than eight fields")
    return pattern


def parse_name(pattern: str, name: str) -> dict[str, str] | None:
    """The fields that `name` gives under `pattern`, or ``None`` when it does not match."""
    match = _compiled(pattern).fullmatch(name)
    return match.groupdict() if match else None


def read_name(patterns: Sequence[str], name: str) -> NameMatch | None:
    """What the first of the patterns that matches `name` makes of it."""
    for pattern in patterns:
        fields = parse_name(pattern, name)
        if fields is not None:
            return NameMatch(pattern, fields)
    return None


def number_of(patterns: Sequence[str], name: str) -> int | None:
    """The number of a name: what ``{num}`` gives, or, for a name that follows no pattern, the digits
    it starts with (``8_baseline`` is 8), since a family's first member has no parent to name."""
    match = read_name(patterns, name)
    if match is not None:
        digits = match.fields.get("num")
    else:
        leading = _LEADING_DIGITS.match(name)
        digits = leading[0] if leading else None
    return None if digits is None else int(digits)


def part_of_name(reference: str) -> str:
    """A text that stands in the name of whomever a number or a whole name can mean."""
    return reference.lstrip("0") or reference[:1]


def wants_number(name: str) -> bool:
    """Whether the next number is to be put into `name`."""
    return NUMBER_FIELD in name


def numbered(name: str, number: int) -> str:
    """The name with the number in it."""
    return name.replace(NUMBER_FIELD, str(number))


class Family:
    """The names of a project's experiments, and whom they mean.

    Args:
        patterns: the project's.
        members: ids and names, oldest first.
    """

    def __init__(self, patterns: Sequence[str], members: Iterable[tuple[ExperimentId, str]] = ()) -> None:
        self._patterns = patterns
        self._members: list[tuple[ExperimentId, str]] = []
        self._by_name: dict[str, int] = {}
        self._by_number: dict[int, int] = {}
        for experiment_id, name in members:
            self.add(experiment_id, name)

    def add(self, experiment_id: ExperimentId, name: str) -> None:
        """Takes the next one in."""
        age = len(self._members)
        self._members.append((experiment_id, name))
        self._by_name.setdefault(name, age)
        number = number_of(self._patterns, name)
        if number is not None:
            self._by_number.setdefault(number, age)

    def has(self, name: str) -> bool:
        """Whether somebody is called so."""
        return name in self._by_name

    def find(self, reference: str) -> tuple[ExperimentId, str] | None:
        """The oldest whose number, or whose whole name, is `reference`; leading zeros do not count."""
        ages = [self._by_name.get(reference)]
        if reference.isascii() and reference.isdigit() and len(reference) <= _LONGEST_NAME:
            ages.append(self._by_number.get(int(reference)))
        known = [age for age in ages if age is not None]
        return self._members[min(known)] if known else None

    def next_number(self, name: str) -> int:
        """The number that ``{num}`` in `name` gets: one more than the highest there is.

        Where the patterns do not see the number in such a name (``run-{num}`` in a project whose names
        are free), those of the names that differ from it in nothing else count too.
        """
        highest = max(self._by_number, default=0)
        number = highest + 1
        if not wants_number(name) or number_of(self._patterns, numbered(name, number)) == number:
            return number
        first, second, *more = (re.escape(part) for part in name.split(NUMBER_FIELD))
        like = re.compile("(?P=num)".join([f"{first}(?P<num>[0-9]+){second}", *more]), re.DOTALL)
        start = name.partition(NUMBER_FIELD)[0]
        matches = (like.fullmatch(each) for each in self._by_name if each.startswith(start))
        return max(highest, max((int(match["num"]) for match in matches if match), default=0)) + 1
