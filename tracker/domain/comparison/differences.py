"""In what several experiments differ, leaf by leaf.

It knows nothing of where trees come from: parameters and features are compared with it, and so can be
whatever else is known of runs as a tree, such as the packages of their environments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tracker.domain.experiments.features import Path, diff, dotted, leaves
from tracker.domain.ids import ExperimentId
from tracker.domain.json_tree import thaw

__all__ = ["Difference", "Tree", "differences"]

Tree = tuple[ExperimentId, Mapping[str, Any]]
"""An experiment and one tree of it."""

_NOTHING = object()


class Difference(NamedTuple):
    """A leaf that not all experiments have, or not with the same value.

    Attributes:
        path: to the leaf.
        values: of the experiments that have it; ``1``, ``1.0`` and ``true`` are three values. The others
            lack it.
    """

    path: Path
    values: Mapping[ExperimentId, Any]

    @property
    def name(self) -> str:
        """The path as people write it: ``Optimizer.lr``."""
        return dotted(self.path)


def differences(trees: Sequence[Tree]) -> tuple[Difference, ...]:
    """The leaves in which any of the trees differs from the first one, by path.

    Args:
        trees: at least one. Two give what :func:`tracker.domain.experiments.features.diff` gives.
    """
    _, first = trees[0]
    leaves_of = {key: dict(leaves(tree)) for key, tree in trees}
    paths: set[Path] = set()
    whole: set[Path] = set()  # arrays of named items in another order: no leaves, but compared as one
    for key, tree in trees[1:]:
        found = diff(first, tree)
        paths.update(found.added, found.removed, found.changed)
        whole.update(path for path in found.changed if path not in leaves_of[key])
    rows = []
    for path in sorted(paths):
        values = {}
        for key, tree in trees:
            value = leaves_of[key].get(path, _NOTHING)
            if value is _NOTHING and path in whole:
                value = _at(tree, path)
            if value is not _NOTHING:
                values[key] = value
        rows.append(Difference(path, values))
    return tuple(rows)


def _at(tree: Any, path: Path) -> Any:
    for step in path:
        if isinstance(tree, Mapping):
            tree = tree.get(step, _NOTHING)
        elif isinstance(tree, list | tuple):
            items = (item for item in tree if isinstance(item, Mapping) and item.get("name") == step)
            tree = next(items, _NOTHING)
        else:
            return _NOTHING
    return tree if tree is _NOTHING else thaw(tree)
