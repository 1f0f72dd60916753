"""The parent/child relation of one project's experiments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tracker.domain.errors import LineageCycle
from tracker.domain.ids import ExperimentId

__all__ = ["check_no_cycle", "depth_first"]


def check_no_cycle(
    child: ExperimentId, parent: ExperimentId, parent_ancestors: Iterable[ExperimentId]
) -> None:
    """Lets pass a new parent that keeps the relation free of cycles.

    Args:
        child: who gets a parent.
        parent: who is to be it.
        parent_ancestors: everything above `parent`.

    Raises:
        LineageCycle: `parent` is `child` itself or stands below it.
    """
    if child == parent:
        raise LineageCycle("parent: an experiment cannot be its own parent")
    if child in parent_ancestors:
        raise LineageCycle(f"parent: experiment {parent} descends from {child}; that would be a cycle")


def depth_first(
    parents: Mapping[ExperimentId, ExperimentId | None],
) -> list[tuple[ExperimentId, int]]:
    """Every experiment with its depth, children right below their parent.

    Args:
        parents: the parent of each; its order is the order among siblings. A parent that is not
            among the keys counts as none.
    """
    children: dict[ExperimentId | None, list[ExperimentId]] = {}
    for child, parent in parents.items():
        children.setdefault(parent if parent in parents else None, []).append(child)
    rows: list[tuple[ExperimentId, int]] = []
    stack = [(root, 0) for root in reversed(children.get(None, []))]
    while stack:
        node, depth = stack.pop()
        rows.append((node, depth))
        stack.extend((child, depth + 1) for child in reversed(children.get(node, [])))
    return rows
