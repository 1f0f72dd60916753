"""The relation between one project's experiments: what came from what.

Each has one primary parent at most, the baseline of its diffs; from parent to parent that makes its
primary line, which ends in its root. Whatever else went into it stands beside it, merged. Both kinds
of edges together never form a cycle.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping

from tracker.domain.errors import Invalid, LineageCycle
from tracker.domain.ids import ExperimentId

__all__ = [
    "Lines", "Parents", "ancestors", "check_no_cycle", "check_parents", "depth_first", "depths",
    "descendants", "is_acyclic", "roots",
]  # fmt: skip

Parents = Mapping[ExperimentId, Collection[ExperimentId]]
"""All parents of each experiment, primary and merged."""

Lines = Mapping[ExperimentId, ExperimentId | None]
"""The primary parent of each."""


def check_parents(
    child: ExperimentId, parent_id: ExperimentId | None, merged_from: Iterable[ExperimentId]
) -> None:
    """Lets pass parents of which each stands once.

    Raises:
        Invalid: the primary parent is merged as well.
        LineageCycle: the experiment is among its own parents.
    """
    merged = tuple(merged_from)
    if child == parent_id or child in merged:
        field = "parent" if child == parent_id else "merged_from"
        raise LineageCycle(f"{field}: an experiment cannot be its own parent")
    if parent_id is not None and parent_id in merged:
        raise Invalid.field("merged_from", f"experiment {parent_id} is the parent already", "merged_from")


def check_no_cycle(
    child: ExperimentId, parents: Iterable[ExperimentId], above: Collection[ExperimentId]
) -> None:
    """Lets pass new parents that keep the relation free of cycles.

    Args:
        child: who gets parents.
        parents: who are to be its parents.
        above: everything above these, over edges of both kinds.

    Raises:
        LineageCycle: one of them is `child` itself or stands below it.
    """
    if child in above or child in parents:
        named = ", ".join(str(parent) for parent in parents)
        raise LineageCycle(f"parent: {named} descends from {child}; that would be a cycle")


def roots(parents: Parents) -> tuple[ExperimentId, ...]:
    """Those without parents, in the given order; a parent that is not among the keys counts as none."""
    return tuple(key for key, above in parents.items() if not any(each in parents for each in above))


def ancestors(parents: Parents, experiment_id: ExperimentId) -> tuple[ExperimentId, ...]:
    """Everything above one, nearest first, over edges of both kinds."""
    return _reached(parents, experiment_id)


def descendants(parents: Parents, experiment_id: ExperimentId) -> tuple[ExperimentId, ...]:
    """Everything below one, nearest first, over edges of both kinds."""
    return _reached(_turned(parents), experiment_id)


def is_acyclic(parents: Parents) -> bool:
    """Whether nothing stands above itself (Kahn, "Topological sorting of large networks", 1962)."""
    children = _turned(parents)
    missing = {key: sum(each in parents for each in above) for key, above in parents.items()}
    ready = [key for key, count in missing.items() if not count]
    for key in ready:
        for child in children.get(key, ()):
            missing[child] -= 1
            if not missing[child]:
                ready.append(child)
    return len(ready) == len(parents)


def depths(lines: Lines) -> dict[ExperimentId, int]:
    """How many steps each stands below its root, on the primary line; a root is at 0."""
    found: dict[ExperimentId, int] = {}
    for key in lines:
        line = [key]
        while line[-1] not in found:
            parent = lines[line[-1]]
            if parent is None or parent not in lines:
                found[line[-1]] = 0
            else:
                line.append(parent)
        depth = found[line.pop()]
        for distance, each in enumerate(reversed(line), start=1):
            found[each] = depth + distance
    return found


def depth_first(lines: Lines) -> list[tuple[ExperimentId, int]]:
    """Every experiment with its depth, children right below their parent.

    Args:
        lines: the primary parent of each; its order is the order among siblings. A parent that is
            not among the keys counts as none.
    """
    children: dict[ExperimentId | None, list[ExperimentId]] = {}
    for child, parent in lines.items():
        children.setdefault(parent if parent in lines else None, []).append(child)
    rows: list[tuple[ExperimentId, int]] = []
    stack = [(root, 0) for root in reversed(children.get(None, []))]
    while stack:
        node, depth = stack.pop()
        rows.append((node, depth))
        stack.extend((child, depth + 1) for child in reversed(children.get(node, [])))
    return rows


def _turned(parents: Parents) -> dict[ExperimentId, list[ExperimentId]]:
    """The children of each."""
    children: dict[ExperimentId, list[ExperimentId]] = {}
    for child, above in parents.items():
        for parent in above:
            children.setdefault(parent, []).append(child)
    return children


def _reached(
    edges: Mapping[ExperimentId, Collection[ExperimentId]], start: ExperimentId
) -> tuple[ExperimentId, ...]:
    seen: dict[ExperimentId, None] = {}
    queue = deque(edges.get(start, ()))
    while queue:
        node = queue.popleft()
        if node not in seen:
            seen[node] = None
            queue.extend(edges.get(node, ()))
    return tuple(seen)
