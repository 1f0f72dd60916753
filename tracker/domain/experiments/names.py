"""What a new experiment's name means in its project: the real thing and the dry run read it alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tracker.domain.frozen import Frozen
from tracker.domain.ids import ExperimentId
from tracker.domain.projects.naming import Family, numbered, read_name, wants_number

__all__ = ["NameCheck", "NameReading", "checked", "reading"]

_LONGEST = 100


class NameReading(Frozen):
    """A name as a project reads it.

    Attributes:
        name: with the next number in the place of ``{num}``.
        pattern: the first that matches it; ``None`` when none does.
        fields: what it says under that pattern.
        parent_id: the experiment that it names as its parent.
        parent_name: what that one is called.
        why: why no parent is found; ``None`` when one is.
        warnings: what the name says that cannot be.
    """

    name: str
    pattern: str | None = None
    fields: Mapping[str, str] = {}
    parent_id: ExperimentId | None = None
    parent_name: str | None = None
    why: str | None = None
    warnings: tuple[str, ...] = ()


class NameCheck(NameReading):
    """What creating an experiment of this name would do, told without doing it.

    Attributes:
        next_number: the number that ``{num}`` stands for now.
        is_taken: whether an experiment of the project is called so; names need not be unique.
    """

    next_number: int
    is_taken: bool


def reading(patterns: Sequence[str], family: Family, name: str) -> NameReading:
    """What a name means.

    Args:
        patterns: the project's.
        family: those of its experiments that the name can refer to; all, if it asks for a number.
        name: of the new experiment.
    """
    if wants_number(name):
        name = numbered(name, family.next_number(name))
    match = read_name(patterns, name)
    if match is None:
        why = f"no naming pattern matches {name}" if patterns else "the project has no naming patterns"
        return NameReading(name=name, why=why)
    reference = match.fields.get("parent")
    if reference is None:
        why = f"the naming pattern {match.pattern} names no parent"
        return NameReading(name=name, pattern=match.pattern, fields=match.fields, why=why)
    found = family.find(reference)
    if found is None:
        why = f"no experiment of the project has the number or the name {reference}"
        warnings = (f"{name} has no parent: {why}",)
        return NameReading(name=name, pattern=match.pattern, fields=match.fields, why=why, warnings=warnings)
    return NameReading(
        name=name, pattern=match.pattern, fields=match.fields, parent_id=found[0], parent_name=found[1]
    )


def checked(patterns: Sequence[str], family: Family, name: str) -> NameCheck:
    """The dry run.

    Args:
        patterns: the project's.
        family: all of its experiments.
        name: of the experiment that might be.
    """
    read = reading(patterns, family, name)
    fields = dict(read)
    if len(read.name) > _LONGEST:
        too_long = f"{read.name} has {len(read.name)} characters; {_LONGEST} are allowed"
        fields["warnings"] = (*read.warnings, too_long)
    return NameCheck(**fields, next_number=family.next_number(name), is_taken=family.has(read.name))
