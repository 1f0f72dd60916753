"""What people call experiments by: numbers, names, and beginnings of ids."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from uuid import UUID

from tracker.domain.experiments.experiment import Experiment
from tracker.domain.ids import ProjectId
from tracker.domain.projects.naming import number_of
from tracker.domain.projects.project import Project

__all__ = ["as_number", "names_or_numbers", "quoted", "short_keys"]

_LONGEST_NAME = 100
_LONGEST_EXPRESSION = 200
_MOST_EXPRESSIONS = 10
_SHORTEST_ID = 13  # the milliseconds of a UUID of version 7
_FIELD = re.compile(r"\{([^{}]*)\}")


def quoted(text: str) -> str:
    """A text as a filter has it."""
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return f'"{escaped}"'


def as_number(key: str) -> int | None:
    """The number that is typed as `key`; leading zeros do not count."""
    return int(key) if key.isascii() and key.isdigit() and len(key) <= _LONGEST_NAME else None


def names_or_numbers(key: str, patterns: Iterable[Sequence[str]]) -> str | None:
    """The filter of those experiments that are called `key`, or whose number it may be.

    It finds a few more: whether a name has the number tells :func:`number_of`.

    Args:
        key: as it was typed.
        patterns: of each project in question.

    Returns:
        ``None`` when nothing can be called so.
    """
    if not 0 < len(key) <= _LONGEST_NAME or not _can_be_kept(key):
        return None
    tests = [f"name = {quoted(key)}"]
    number = as_number(key)
    if number is not None:
        expressions = {_leading(number)}
        expressions.update(_expression(pattern, number) for each in patterns for pattern in each)
        if len(expressions) > _MOST_EXPRESSIONS or max(map(len, expressions)) > _LONGEST_EXPRESSION:
            expressions = {str(number)}
        tests += [f"name matches {quoted(each)}" for each in sorted(expressions)]
    return " or ".join(tests)


def short_keys(experiments: Sequence[Experiment], projects: Mapping[ProjectId, Project]) -> list[str]:
    """What to type for each of some experiments: its number if no other of them has it, else the
    beginning of its id.

    Args:
        experiments: those that are shown together.
        projects: theirs, by id; where one is not there, its experiments have no numbers.
    """
    numbers = [_number(each, projects.get(each.project_id)) for each in experiments]
    times = Counter(
        (each.project_id, number) for each, number in zip(experiments, numbers, strict=True) if number
    )
    length = _distinct(each.id for each in experiments)
    return [
        str(number) if number is not None and times[each.project_id, number] == 1 else str(each.id)[:length]
        for each, number in zip(experiments, numbers, strict=True)
    ]


def _number(experiment: Experiment, project: Project | None) -> int | None:
    return None if project is None else number_of(project.settings.naming_patterns, experiment.name)


def _distinct(ids: Iterable[UUID]) -> int:
    """How many characters tell the ids apart."""
    texts = sorted(map(str, set(ids)))
    length = _SHORTEST_ID
    for one, other in pairwise(texts):
        while one[:length] == other[:length]:
            length += 1
    return length


def _can_be_kept(text: str) -> bool:
    """Whether a database can hold it; arguments that are not UTF-8 have halves of surrogate pairs."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _leading(number: int) -> str:
    return f"^0*{number}([^0-9]|$)"


def _expression(pattern: str, number: int) -> str:
    """What a name with this number fits that follows `pattern`."""
    texts_and_fields = _FIELD.split(pattern)
    parts = [_literal(texts_and_fields[0])]
    for field, text in zip(texts_and_fields[1::2], texts_and_fields[2::2], strict=True):
        parts += [f"0*{number}" if field == "num" else ".+", _literal(text)]
    return f"(?s)^{''.join(parts)}$"


def _literal(text: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c == "_") else rf"\x{{{ord(c):x}}}" for c in text)
