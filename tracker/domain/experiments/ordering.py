"""The order in which a project lists its experiments."""

from __future__ import annotations

from collections.abc import Sequence

from tracker.domain.errors import Invalid
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.ids import ExperimentId

__all__ = ["positions_after"]


def positions_after(present: Sequence[Experiment], first: Sequence[ExperimentId]) -> dict[ExperimentId, int]:
    """The positions that change when those named are put first and the others keep their order.

    Args:
        present: a project's experiments in their present order.
        first: some of their ids, in the wanted order.

    Raises:
        Invalid: an id stands twice or is not among `present`.
    """
    known = {experiment.id: experiment for experiment in present}
    for index, experiment_id in enumerate(first):
        if experiment_id not in known:
            raise Invalid.field("experiment_ids", f"{experiment_id} (at {index}) is not in this project")
    chosen = set(first)
    if len(chosen) != len(first):
        raise Invalid.field("experiment_ids", "the same id stands twice")
    order = [*first, *(experiment.id for experiment in present if experiment.id not in chosen)]
    return {
        experiment_id: position
        for position, experiment_id in enumerate(order)
        if known[experiment_id].position != position
    }
