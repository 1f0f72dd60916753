"""What kinds of values people configure things with, told apart without importing what they come from."""

from __future__ import annotations

import dataclasses
import sys
from argparse import Namespace
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any
from uuid import UUID

from tracker.run.secret_names import MASK

__all__ = ["Members", "is_array", "items_of", "members_of", "scalar_of", "text_of"]

Members = tuple[Iterable[Any], Callable[[Any], Any]]
"""The names of what something is made of, and what gives each; giving one may raise anything."""

MOST_ITEMS = 1000
_LIKE_TEXT = (PurePath, UUID, range, slice, complex, ModuleType)
_LIKE_NUMBERS = (Decimal, Fraction)
_CODE = (FunctionType, BuiltinFunctionType, MethodType, type)
# Objects of these packages whose text is their whole meaning, such as torch.float32 or cuda:0.
_NAMED_KINDS = frozenset({"dtype", "device", "DType", "DtypePolicy", "memory_format", "layout"})


def scalar_of(value: Any) -> tuple[bool, Any]:
    """Whether it is one thing without parts, and which bool, number, text or ``None`` it is."""
    if value is None or type(value) in (bool, int, float, str):
        return True, value
    if isinstance(value, Enum):
        # A text says more than a name; a number says less.
        return True, value.value if isinstance(value.value, str) else value.name or str(value)
    if isinstance(value, datetime | date | time):
        return True, value.isoformat()
    if isinstance(value, timedelta):
        return True, value.total_seconds()
    if isinstance(value, _LIKE_NUMBERS):
        return True, float(value)
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return True, kind(value)
    return _scalar_of_package(value)


def members_of(value: Any) -> Members | None:
    """The parts of something whose parts have names; ``None`` when they have none."""
    if isinstance(value, type):
        return None
    if _is_config(value, "DictConfig"):
        return _config_members(value)
    if isinstance(value, Mapping):
        return list(value), value.__getitem__
    if isinstance(value, Namespace | SimpleNamespace):
        return list(vars(value)), vars(value).__getitem__
    names = _field_names(value)
    if names is not None:
        return names, partial(getattr, value)
    if is_array(value) or hasattr(value, "columns"):
        return None
    for method in ("to_dict", "flag_values_dict"):  # transformers, ml_collections; absl
        if callable(getattr(value, method, None)):
            found = getattr(value, method)()
            if isinstance(found, Mapping):
                return list(found), found.__getitem__
    return None


def items_of(value: Any) -> Iterable[Any] | None:
    """The items of something that is a list of things; ``None`` of anything else."""
    if isinstance(value, list | tuple | deque):
        return value
    if isinstance(value, set | frozenset):
        return sorted(value, key=lambda item: (type(item).__name__, str(item)))
    if _is_config(value, "ListConfig"):
        return list(value)
    if is_array(value) and _size(value.shape) <= MOST_ITEMS:
        items: Iterable[Any] = value.tolist()
        return items
    return None


def text_of(value: Any) -> str | None:
    """The text of something that has no parts and is best known by a name; ``None`` of anything else."""
    if isinstance(value, _CODE):
        return f"{value.__module__}.{value.__qualname__}".removeprefix("builtins.")
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, partial):
        return f"partial({text_of(value.func) or value.func})"
    if isinstance(value, _LIKE_TEXT) or type(value).__name__ in _NAMED_KINDS:
        return str(value)
    if type(value).__module__.startswith("numpy") and hasattr(value, "str") and hasattr(value, "itemsize"):
        return str(value)  # a numpy dtype, whose classes have names of their own
    if is_array(value):
        return f"{type(value).__name__} {getattr(value, 'dtype', '')} {tuple(value.shape)}"
    return None


def _scalar_of_package(value: Any) -> tuple[bool, Any]:
    if isinstance(value, bytes | bytearray):
        return True, bytes(value).decode("utf-8", "replace")
    if not isinstance(value, type) and hasattr(value, "get_secret_value"):  # pydantic's secrets
        return True, MASK
    if is_array(value) and tuple(value.shape) == ():
        return scalar_of(value.item())
    return False, None


def _field_names(value: Any) -> Collection[str] | None:
    """The fields of a dataclass, an attrs class, a pydantic model or a named tuple."""
    kind = type(value)
    if dataclasses.is_dataclass(value):
        return [field.name for field in dataclasses.fields(value)]
    if hasattr(kind, "__attrs_attrs__"):
        return [field.name for field in kind.__attrs_attrs__]
    if hasattr(kind, "model_validate") or hasattr(kind, "parse_obj"):  # pydantic 2 and 1
        attribute = "model_fields" if hasattr(kind, "model_fields") else "__fields__"
        return [*getattr(kind, attribute), *(getattr(value, "model_extra", None) or ())]
    if isinstance(value, tuple) and isinstance(getattr(kind, "_fields", None), tuple):
        return list(kind._fields)
    return None


def _is_config(value: Any, kind: str) -> bool:
    """Whether it is OmegaConf's, which is there already when it is."""
    module = sys.modules.get("omegaconf")
    return module is not None and isinstance(value, getattr(module, kind))


def _config_members(config: Any) -> Members:
    """Keys of a config of OmegaConf; interpolations are resolved, what is missing (``???``) is ``None``."""
    missing = sys.modules["omegaconf"].OmegaConf.is_missing

    def get(key: Any) -> Any:
        return None if missing(config, key) else config[key]

    return list(config.keys()), get


def is_array(value: Any) -> bool:
    """Whether it is an array or a scalar of numpy, torch, jax and the like."""
    return not isinstance(value, type) and all(
        hasattr(value, name) for name in ("shape", "dtype", "item", "tolist")
    )


def _size(shape: Iterable[int]) -> int:
    size = 1
    for length in shape:
        size *= int(length)
    return size
