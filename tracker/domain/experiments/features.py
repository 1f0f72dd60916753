"""What changed between the feature trees of two experiments.

A tree is compared leaf by leaf. Scalars, empty objects and arrays are leaves, but for arrays whose
items are objects with distinct texts under ``name``: their items are found by these names, so that
``layers: [{name: conv1, width: 3}]`` has the leaf ``layers.conv1.width``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import SkipValidation

from tracker.domain.errors import Conflict
from tracker.domain.frozen import Frozen
from tracker.domain.json_tree import same, thaw

__all__ = ["FeaturesDiff", "ItemName", "Path", "apply", "diff", "dotted", "invert", "leaves"]

Path = tuple[str, ...]
AnyPath = Annotated[Path, SkipValidation]  # which would make plain texts of the names of items


class ItemName(str):
    """A step of a path into an array, to the item of this name; other steps are keys of objects."""

    __slots__ = ()


class FeaturesDiff(Frozen):
    """The leaves that one tree has and the other has not, or has with another value.

    Attributes:
        added: path -> value, only in the second tree.
        removed: path -> value, only in the first.
        changed: path -> (first's value, second's value).
    """

    added: Mapping[AnyPath, Any]
    removed: Mapping[AnyPath, Any]
    changed: Mapping[AnyPath, tuple[Any, Any]]

    @property
    def is_empty(self) -> bool:
        """Whether the trees are equal."""
        return not (self.added or self.removed or self.changed)


def diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> FeaturesDiff:
    """What makes the second tree of the first.

    ``1``, ``1.0`` and ``true`` are three different values, as they are in JSON text. An array of
    named objects whose common items stand in another order, or behind new ones, is one changed leaf.
    """
    found = _Found()
    _compare_items(before, after, (), found)
    return FeaturesDiff(added=found.added, removed=found.removed, changed=found.changed)


def invert(changes: FeaturesDiff) -> FeaturesDiff:
    """What makes the first tree of the second."""
    return FeaturesDiff(
        added=changes.removed,
        removed=changes.added,
        changed={path: (new, old) for path, (old, new) in changes.changed.items()},
    )


def dotted(path: Path) -> str:
    """A path as people write it: ``Optimizer.lr``."""
    return ".".join(path)


def leaves(tree: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Every leaf of a tree with its path."""
    for key, value in tree.items():
        yield from _leaves(value, (key,))


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    items = _items(value)
    if not items:
        yield path, thaw(value)
    for step, item in items.items():
        yield from _leaves(item, (*path, step))


def _items(value: Any) -> Mapping[str, Any]:
    """What stands below a value that is no leaf, by the step that leads there."""
    return value if isinstance(value, Mapping) else _named_items(value)


def _named_items(value: Any) -> Mapping[str, Any]:
    """The items of an array by name, without it; empty when they are not told apart by names."""
    if not isinstance(value, list | tuple) or not all(isinstance(item, Mapping) for item in value):
        return {}
    names = [item.get("name") for item in value]
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        return {}
    return {ItemName(item["name"]): {k: v for k, v in item.items() if k != "name"} for item in value}


class _Found:
    """Differences while they are being looked for."""

    def __init__(self) -> None:
        self.added: dict[Path, Any] = {}
        self.removed: dict[Path, Any] = {}
        self.changed: dict[Path, tuple[Any, Any]] = {}


def _compare(old: Any, new: Any, path: Path, found: _Found) -> None:
    below, wanted = _items(old), _items(new)
    if below and wanted:
        if isinstance(old, Mapping) == isinstance(new, Mapping) and _in_order(below, wanted):
            _compare_items(below, wanted, path, found)
        else:
            found.changed[path] = (thaw(old), thaw(new))
    elif below or wanted:
        found.removed.update(_leaves(old, path))
        found.added.update(_leaves(new, path))
    elif not same(old, new):
        found.changed[path] = (thaw(old), thaw(new))


def _compare_items(old: Mapping[str, Any], new: Mapping[str, Any], path: Path, found: _Found) -> None:
    for step, value in old.items():
        if step in new:
            _compare(value, new[step], (*path, step), found)
        else:
            found.removed.update(_leaves(value, (*path, step)))
    for step, value in new.items():
        if step not in old:
            found.added.update(_leaves(value, (*path, step)))


def _in_order(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether new items come behind all common ones and these keep their order, both ways."""
    if not all(isinstance(step, ItemName) for step in (*old, *new)):
        return True  # keys of objects have no order
    common = [step for step in old if step in new]
    return list(old)[: len(common)] == common == list(new)[: len(common)]


def apply(tree: Mapping[str, Any], changes: FeaturesDiff) -> dict[str, Any]:
    """The tree after `changes`: ``apply(a, diff(a, b))`` is ``b``.

    Raises:
        Conflict: the changes were made from another tree: what they remove or change is not there.
    """
    changed: dict[str, Any] = thaw(tree)
    for path, value in changes.removed.items():
        _require(changed, path, value)
        container = _at(changed, path[:-1])
        if isinstance(container, dict):  # a bare item may be about to get what is added; else it goes below
            del container[path[-1]]
    for path, (old, new) in changes.changed.items():
        _require(changed, path, old)
        _at(changed, path[:-1])[path[-1]] = thaw(new)
    for path, value in changes.added.items():
        _add(changed, path, value)
    _drop_emptied(changed, changes.removed, changes.added)
    return changed


_MISSING = object()


def _at(tree: Any, path: Path) -> Any:
    """What stands at a path, or ``_MISSING``."""
    for step in path:
        if isinstance(tree, list):
            tree = next((i for i in tree if isinstance(i, dict) and i.get("name") == step), _MISSING)
        else:
            tree = tree.get(step, _MISSING) if isinstance(tree, dict) else _MISSING
    return tree


def _require(tree: Any, path: Path, value: Any) -> None:
    present = _at(tree, path)
    if isinstance(_at(tree, path[:-1]), list) and isinstance(present, dict):
        present = {key: item for key, item in present.items() if key != "name"}
    if present is _MISSING or not same(present, value):
        raise Conflict(f"features: {dotted(path)} is not what it was when this change was made")


def _drop(container: Any, step: str) -> None:
    if isinstance(container, list):
        container.remove(_at(container, (step,)))
    else:
        del container[step]


def _add(tree: Any, path: Path, value: Any) -> None:
    for depth, step in enumerate(path):
        is_last = depth == len(path) - 1
        if isinstance(tree, list):
            present = _at(tree, (step,))
            if present is _MISSING:
                tree.append(present := {"name": str(step)})
            elif is_last:  # the only leaf that an item can be is a bare one
                _drop_all_but_name(present)
        elif is_last:
            tree[step] = thaw(value)
            return
        else:
            present = tree.setdefault(step, [] if isinstance(path[depth + 1], ItemName) else {})
        tree = present


def _drop_all_but_name(item: dict[str, Any]) -> None:
    for key in item.keys() - {"name"}:
        del item[key]


def _drop_emptied(tree: Any, removed: Iterable[Path], added: Mapping[Path, Any]) -> None:
    """Containers whose last leaf went are gone with it, as long as nothing was put in their place."""
    for path in removed:
        depth = len(path)
        while depth and not any(path[:length] in added for length in range(1, depth + 1)):
            container, value = _at(tree, path[: depth - 1]), _at(tree, path[:depth])
            is_emptied = value in ([], {}) or (isinstance(container, list) and _is_bare(value))
            if is_emptied:
                _drop(container, path[depth - 1])
            elif value is not _MISSING:
                break
            depth -= 1


def _is_bare(item: Any) -> bool:
    return isinstance(item, dict) and item.keys() == {"name"}
