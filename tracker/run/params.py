"""Parameters and features of a run, from whatever a script holds them in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from tracker.domain.errors import Invalid
from tracker.run.plain import PlainTree, Tell
from tracker.warning import warn_of

__all__ = ["feature_tree", "flat_params"]

_YAML = frozenset({".yaml", ".yml"})
_LARGEST_FILE = 8 * 2**20
# YAML 1.1 reads 1e-3 as text, since it has no dot; everybody who writes it means the number.
_YAML_FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+"
    r"|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)


def _warn(text: str) -> None:
    warn_of([text])


def flat_params(obj: Any, *, mask: bool = True, tell: Tell = _warn) -> dict[str, Any]:
    """The parameters that `obj` holds, under dotted names: bool, int, float, text or ``None`` each.

    A list of plain values is one parameter, its JSON text, as searches see lists of features; the
    objects in a list get its indexes as names (``layers.0.width``). So are empty lists and objects.

    Args:
        obj: a mapping, namespace, dataclass, pydantic or attrs object, named tuple, config of OmegaConf, or
            anything that offers ``to_dict()``; nested as deep as it is. ``None`` has none.
        mask: whether passwords, tokens and keys, which are known by their names, become ``***``.
        tell: takes what was odd, a sentence a kind; by default a :class:`TrackerWarning`. What `obj` holds
            is never an error: what cannot be taken is told.
    """
    walk = PlainTree("params", mask=mask)
    tree = {} if obj is None else walk.of(obj)
    found: dict[str, Any] = {}
    for name, value in _flat(tree or {}, ""):
        if name in found:
            walk.note("twice", name)
        found[name] = value
    walk.tell(tell)
    return found


def feature_tree(source: Any, *, mask: bool = True, tell: Tell = _warn) -> dict[str, Any]:
    """What an experiment is made of as a JSON tree, from an object or a file.

    Args:
        source: what :func:`flat_params` takes, or the path of a JSON or YAML file (extra ``yaml``) as text
            or a path. ``None`` has none.
        mask: as for :func:`flat_params`.
        tell: as for :func:`flat_params`.

    Raises:
        Invalid: there is no such file, it is too large, it is neither JSON nor YAML, or it holds no object.
    """
    if isinstance(source, str | PurePath):
        source = _read(Path(source))
    walk = PlainTree("features", mask=mask)
    tree = {} if source is None else walk.of(source)
    walk.tell(tell)
    return tree or {}


def _flat(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, list) and any(map(_holds_objects, value)):
            value = {str(index): item for index, item in enumerate(value)}  # noqa: PLW2901
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{name}.")
        elif isinstance(value, list | dict):
            yield name, json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        else:
            yield name, value


def _holds_objects(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_holds_objects, value))
    return isinstance(value, dict) and bool(value)


def _read(path: Path) -> Mapping[str, Any]:
    """The object in a file."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise Invalid.field("features", f"{path} is larger than {_LARGEST_FILE >> 20} MiB")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise Invalid.field("features", f"{str(path)!r} cannot be read: {why}") from error
    found = _from_yaml(text, path) if path.suffix.lower() in _YAML else _from_json(text, path)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise Invalid.field("features", f"{path} must hold an object (names and values) at its top")
    return found


def _from_json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid.field("features", f"{path} is not JSON (or YAML, by its name): {error}") from error


def _from_yaml(text: str, path: Path) -> Any:
    try:
        import yaml  # noqa: PLC0415  (an extra)
    except ImportError as error:
        fix = "reading YAML needs: pip install 'tracker[yaml]'"
        raise Invalid.field("features", f"{path}: {fix}") from error

    class Loader(yaml.SafeLoader):
        """Plain data only; numbers as everybody writes them."""

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _YAML_FLOAT, list("-+0123456789."))
    try:
        return yaml.load(text, Loader)  # noqa: S506 - it is a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise Invalid.field("features", f"{path} is not YAML: {said}") from error
