"""Naming patterns: what an experiment's name says about its number, parent and change.

A pattern is text with named fields in braces, such as ``{num}_from_{parent}_{change}``. A field
takes the shortest text that lets the rest match; ``{num}`` takes digits only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from tracker.domain.errors import Invalid
from tracker.domain.ids import ExperimentId

__all__ = ["DEFAULT_PATTERN", "check_pattern", "parent_reference", "parse_name", "resolve_parent"]

DEFAULT_PATTERN = "{num}_from_{parent}_{change}"

_FIELD = re.compile(r"\{([^{}]*)\}")


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    end = 0
    for field in _FIELD.finditer(pattern):
        parts.append(re.escape(pattern[end : field.start()]))
        name = field[1]
        parts.append(f"(?P<{name}>[0-9]+)" if name == "num" else f"(?P<{name}>.+?)")
        end = field.end()
    parts.append(re.escape(pattern[end:]))
    return re.compile("".join(parts), re.DOTALL)


def check_pattern(pattern: str) -> str:
    """Refuses a pattern that cannot be read.

    Raises:
        Invalid: a brace is not closed, a field's name is not an identifier or stands twice, two
            fields touch, or there are more than eight fields.
    """
    names = _FIELD.findall(pattern)
    literal = _FIELD.sub("", pattern)
    if "{" in literal or "}" in literal:
        raise Invalid.field("naming_pattern", "has a brace without its partner")
    for name in names:
        if not (name.isascii() and name.isidentifier()):
            raise Invalid.field("naming_pattern", f"field {{{name}}} is not a name")
    if len(set(names)) != len(names):
        raise Invalid.field("naming_pattern", "names a field twice")
    if "}{" in pattern:
        raise Invalid.field("naming_pattern", "needs text between two fields")
    if len(names) > 8:  # bounds the work that matching can cost
        raise Invalid.field("naming_pattern", "has more than eight fields")
    return pattern


def parse_name(pattern: str, name: str) -> dict[str, str] | None:
    """The fields that `name` gives under `pattern`, or ``None`` when it does not match."""
    match = _compiled(pattern).fullmatch(name)
    return match.groupdict() if match else None


def parent_reference(pattern: str, name: str) -> str | None:
    """What `name` says its parent is: a number or a whole name, or ``None``."""
    fields = parse_name(pattern, name)
    return fields.get("parent") if fields else None


def resolve_parent(
    pattern: str, reference: str, experiments: Iterable[tuple[ExperimentId, str]]
) -> ExperimentId | None:
    """The oldest experiment whose number under `pattern`, or whose whole name, is `reference`.

    A number is what ``{num}`` gives, or, for a name that does not follow the pattern, the digits
    it starts with (``8_baseline`` is 8): a family's first member has no parent to name.

    Args:
        pattern: the project's.
        reference: what a child's name gives as its parent.
        experiments: id and name of the candidates, oldest first.
    """
    for experiment_id, name in experiments:
        if name == reference or _number(pattern, name) == reference:
            return experiment_id
    return None


def _number(pattern: str, name: str) -> str | None:
    fields = parse_name(pattern, name)
    if fields is not None:
        return fields.get("num")
    leading = re.match(r"[0-9]+(?![0-9])", name)
    return leading[0] if leading else None
