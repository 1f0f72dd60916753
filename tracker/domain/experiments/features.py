"""What changed between the feature trees of two experiments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tracker.domain.frozen import Frozen
from tracker.domain.json_tree import thaw

__all__ = ["FeaturesDiff", "diff", "dotted"]


class FeaturesDiff(Frozen):
    """The leaves that one tree has and the other has not, or has with another value.

    Attributes:
        added: path -> value, only in the second tree.
        removed: path -> value, only in the first.
        changed: path -> (first's value, second's value).
    """

    added: Mapping[tuple[str, ...], Any]
    removed: Mapping[tuple[str, ...], Any]
    changed: Mapping[tuple[str, ...], tuple[Any, Any]]

    @property
    def is_empty(self) -> bool:
        """Whether the trees are equal."""
        return not (self.added or self.removed or self.changed)


def diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> FeaturesDiff:
    """Compares two trees leaf by leaf; arrays and empty objects are leaves.

    ``1``, ``1.0`` and ``true`` are three different values, as they are in JSON text.
    """
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return FeaturesDiff(
        added={path: new[path] for path in new if path not in old},
        removed={path: old[path] for path in old if path not in new},
        changed={
            path: (old[path], new[path]) for path in new if path in old and not _same(old[path], new[path])
        },
    )


def dotted(path: tuple[str, ...]) -> str:
    """A path as people write it: ``Optimizer.lr``."""
    return ".".join(path)


def _leaves(tree: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in tree.items():
        path = (*prefix, key)
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, path)
        else:
            yield path, thaw(value)


def _same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(_same, a, b))
    return bool(a == b)
