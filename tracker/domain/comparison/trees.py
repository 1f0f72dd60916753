"""In what the files that ran differ, and what they ran in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tracker.domain.artifacts.snapshot import Snapshot
from tracker.domain.comparison.differences import Difference, differences
from tracker.domain.ids import ExperimentId

__all__ = ["Snapshots", "TreeState", "environment_differences", "tree_state"]

Snapshots = Mapping[ExperimentId, Snapshot]
"""The newest one of each experiment that has any."""


class TreeState(NamedTuple):
    """The files of an experiment's newest snapshot, beside those of the baseline's.

    Attributes:
        is_known: whether it has a snapshot.
        same: whether every file is as in the baseline's; ``None`` where one of the two has none.
        files: how many there are.
        added, removed, changed: paths, in order.
    """

    experiment_id: ExperimentId
    is_known: bool
    same: bool | None
    files: int
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def tree_state(experiment_id: ExperimentId, own: Snapshot | None, baseline: Snapshot | None) -> TreeState:
    """What is known of the files an experiment ran with.

    Args:
        experiment_id: whose.
        own: its newest snapshot.
        baseline: that of the baseline.
    """
    if own is None or baseline is None:
        return TreeState(experiment_id, own is not None, None, 0 if own is None else len(own.files))
    after, before = _by_path(own), _by_path(baseline)
    return TreeState(
        experiment_id, True, after == before, len(after),
        added=tuple(path for path in after if path not in before),
        removed=tuple(path for path in before if path not in after),
        changed=tuple(path for path in after if path in before and after[path] != before[path]),
    )  # fmt: skip


def environment_differences(ordered: Sequence[ExperimentId], snapshots: Snapshots) -> tuple[Difference, ...]:
    """The packages, and the Python, that differ between those whose environment is known.

    Args:
        ordered: the experiments, the baseline first.
        snapshots: of them.
    """
    trees = [(key, _environment(snapshots[key])) for key in ordered if key in snapshots]
    known = [(key, tree) for key, tree in trees if tree]
    return differences(known) if known else ()


def _by_path(snapshot: Snapshot) -> Mapping[str, tuple[str, int, bool]]:
    return {file.path: (file.digest, file.mode, file.link) for file in snapshot.files}


def _environment(snapshot: Snapshot) -> Mapping[str, Any]:
    """What of an environment says why a run could come out otherwise."""
    found = {
        name: snapshot.environment[name] for name in ("packages", "python") if name in snapshot.environment
    }
    python = found.get("python")
    if isinstance(python, Mapping):  # who built it, and when, is no difference
        found["python"] = python.get("version")
    return found
