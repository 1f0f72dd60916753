"""What an experiment says of itself that a filter may ask for: parameters, feature leaves, tags."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from tracker.domain.experiments.experiment import Experiment
from tracker.domain.json_tree import thaw
from tracker.domain.search.query import Source

__all__ = ["AttributeType", "AttributeValue", "Attributes", "attributes_of"]


class AttributeType(StrEnum):
    """What a value is."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    TEXT = "text"
    JSON = "json"
    TAG = "tag"


class AttributeValue(NamedTuple):
    """A value in the form in which values are compared.

    Attributes:
        number: of an int or float; of a bool 0 or 1.
        text: of a text; of an array or empty object its JSON.
    """

    type: AttributeType
    number: float | None = None
    text: str | None = None


Attributes = Mapping[tuple[Source, str], AttributeValue]
"""By source and dotted path; a tag's path is itself. What is null is not there."""


def attributes_of(experiment: Experiment) -> Attributes:
    """Everything that `experiment` says. Where two paths are spelled alike, the later one counts."""
    found: dict[tuple[Source, str], AttributeValue] = {}
    for path, value in experiment.params.items():
        if value is not None:
            found[Source.PARAMS, path] = _typed(value)
    for parts, value in _leaves(experiment.features):
        if value is not None:
            found[Source.FEATURES, ".".join(parts)] = _typed(value)
    for tag in experiment.tags:
        found[Source.TAGS, tag] = AttributeValue(AttributeType.TAG)
    return found


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    named = _by_name(value)
    inner = named or value
    if isinstance(inner, Mapping) and (inner or not path):
        for key, item in inner.items():
            yield from _leaves(item, (*path, key))
    else:
        yield path, value


def _by_name(value: Any) -> Mapping[str, Any] | None:
    """An array of objects that are told apart by their names, by these."""
    if not isinstance(value, tuple) or not all(isinstance(item, Mapping) for item in value):
        return None
    names = [item.get("name") for item in value]
    if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        return None
    return {item["name"]: {key: part for key, part in item.items() if key != "name"} for item in value}


def _typed(value: Any) -> AttributeValue:
    match value:
        case bool():
            return AttributeValue(AttributeType.BOOL, float(value))
        case int():
            return AttributeValue(AttributeType.INT, float(value))
        case float():
            return AttributeValue(AttributeType.FLOAT, value)
        case str():
            return AttributeValue(AttributeType.TEXT, text=value)
    text = json.dumps(thaw(value), ensure_ascii=False, separators=(",", ":"))
    return AttributeValue(AttributeType.JSON, text=text)
