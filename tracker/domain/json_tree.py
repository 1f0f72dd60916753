"""JSON values inside frozen entities: checked once, then read-only all the way down."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator
from pydantic_core import PydanticCustomError

from tracker.domain.text import storable

__all__ = ["EMPTY", "FlatParams", "JsonObject", "flatten", "freeze", "same", "thaw"]

MAX_DEPTH = 64
MAX_INTEGER = 2**63


EMPTY: Mapping[str, Any] = MappingProxyType({})


def freeze(value: Any, depth: int = 0) -> Any:
    """A read-only copy of a JSON value: mappings become proxies, arrays become tuples.

    Raises:
        PydanticCustomError: not JSON (also NaN and infinities), integers beyond 64 bits, or nested
            deeper than 64 levels.
    """
    if depth > MAX_DEPTH:
        raise PydanticCustomError("json_depth", f"nested deeper than {MAX_DEPTH} levels")
    match value:
        case None | bool():
            return value
        case str():
            return storable(value)
        case int():
            if not -MAX_INTEGER <= value < MAX_INTEGER:
                raise PydanticCustomError("json_integer", "integers must fit into 64 bits")
            return value
        case float():
            if not math.isfinite(value):
                raise PydanticCustomError("finite_number", "numbers must be finite")
            return value
        case Mapping():
            return MappingProxyType({_key(k): freeze(v, depth + 1) for k, v in value.items()})
        case list() | tuple():
            return tuple(freeze(item, depth + 1) for item in value)
    raise PydanticCustomError("json_type", "{kind} is not a JSON value", {"kind": type(value).__name__})


def thaw(value: Any) -> Any:
    """A copy of a value, frozen or not, out of plain dicts and lists, for encoders that want them."""
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [thaw(item) for item in value]
    return value


def same(a: Any, b: Any) -> bool:
    """Whether two JSON values are equal, frozen or not; ``1``, ``1.0`` and ``true`` are three values."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and bool(a == b)


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one flat dict with dotted keys; everything else is left as it is."""
    return dict(_flat_items(tree, prefix))


def _flat_items(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _flat_items(value, f"{path}.")
        else:
            yield path, value


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise PydanticCustomError("json_key", "keys must be text")
    return storable(key)


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise PydanticCustomError("json_object", "must be an object")
    frozen: Mapping[str, Any] = freeze(value)
    return frozen


def _params(value: Any) -> Mapping[str, Any]:
    params = _object(flatten(value) if isinstance(value, Mapping) else value)
    for key, item in params.items():
        if isinstance(item, Mapping | tuple):
            raise PydanticCustomError(
                "param_type", "parameter {key} must be a bool, number, text or null", {"key": key}
            )
    return params


JsonObject = Annotated[Mapping[str, Any], PlainValidator(_object), PlainSerializer(thaw)]
"""A JSON object, frozen."""

FlatParams = Annotated[Mapping[str, Any], PlainValidator(_params), PlainSerializer(thaw)]
"""Typed parameters under dotted names: bool, int, float, text or null each."""
