"""How experiments are printed."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lineage import depth_first
from tracker.domain.ids import ExperimentId

from .output import Column, plain, print_json, print_record
from .text import moment, number

__all__ = ["COLUMNS", "branches", "print_experiment", "tree_column"]

COLUMNS = (
    Column("id", lambda experiment: str(experiment.id)),
    Column("name", lambda experiment: experiment.name),
    Column("status", lambda experiment: experiment.status.value),
    Column("progress", lambda experiment: f"{number(experiment.progress)} %", is_number=True),
    Column("tags", lambda experiment: ", ".join(experiment.tags)),
    Column("created", lambda experiment: moment(experiment.created_at)),
)


def print_experiment(experiment: Experiment, as_json: bool) -> None:
    """Prints one experiment whole."""
    if as_json:
        print_json(experiment)
        return
    features = json.dumps(plain(experiment.features), ensure_ascii=False) if experiment.features else ""
    print_record(
        {
            "id": str(experiment.id),
            "name": experiment.name,
            "description": experiment.description,
            "status": experiment.status.value,
            "progress": f"{number(experiment.progress)} %",
            "project": str(experiment.project_id),
            "parent": str(experiment.parent_id or ""),
            "merged from": ", ".join(map(str, experiment.merged_from)),
            "position": str(experiment.position),
            "color": experiment.color,
            "tags": ", ".join(experiment.tags),
            "params": ", ".join(f"{key}={json.dumps(value)}" for key, value in experiment.params.items()),
            "features": features,
            "git diff": f"{len(experiment.git_diff.splitlines())} lines" if experiment.git_diff else "",
            "created": moment(experiment.created_at),
            "started": moment(experiment.started_at),
            "completed": moment(experiment.completed_at),
            "ended by": "" if experiment.end_kind is None else experiment.end_kind.value,
            "reason": experiment.end_reason or "",
        }
    )


def tree_column(experiments: Sequence[Experiment]) -> tuple[Column, list[tuple[Experiment, int]]]:
    """The names with the branches that lead to them, and the experiments with their depth.

    Args:
        experiments: in the order that siblings are to have.
    """
    known = {experiment.id: experiment for experiment in experiments}
    family = depth_first({experiment.id: experiment.parent_id for experiment in experiments})
    drawn = branches(family)
    column = Column("name", lambda experiment: drawn[experiment.id] + experiment.name)
    return column, [(known[experiment_id], depth) for experiment_id, depth in family]


def branches(family: Sequence[tuple[ExperimentId, int]]) -> dict[ExperimentId, str]:
    """What stands before each name; read from below, since a branch ends at the last sibling."""
    drawn: dict[ExperimentId, str] = {}
    goes_on: list[bool] = []  # by depth: whether a sibling at that depth comes further down
    for experiment_id, depth in reversed(family):
        del goes_on[depth + 1 :]
        goes_on.extend([False] * (depth + 1 - len(goes_on)))
        stems = "".join("│  " if open_ else "   " for open_ in goes_on[1:depth])
        corner = ("├─ " if goes_on[depth] else "└─ ") if depth else ""
        drawn[experiment_id] = stems + corner
        goes_on[depth] = True
    return drawn
