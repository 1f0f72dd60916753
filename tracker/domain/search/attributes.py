"""What an experiment says of itself that a filter may ask for: parameters, feature leaves, tags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.features import dotted, leaves
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
    for key, value in experiment.params.items():
        if value is not None:
            found[Source.PARAMS, key] = _typed(value)
    for path, value in leaves(experiment.features):
        if value is not None:
            found[Source.FEATURES, dotted(path)] = _typed(value)
    for tag in experiment.tags:
        found[Source.TAGS, tag] = AttributeValue(AttributeType.TAG)
    return found


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
