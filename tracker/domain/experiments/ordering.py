"""The order in which a project lists its experiments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tracker.domain.errors import Invalid
from tracker.domain.ids import ExperimentId

__all__ = ["positions_after"]


def positions_after(
    present: Mapping[ExperimentId, int], first: Sequence[ExperimentId]
) -> dict[ExperimentId, int]:
    """The positions that change when those named are put first and the others keep their order.

    Afterwards the positions are 0, 1, 2, ... whatever they were before.

    Args:
        present: the position of each of a project's experiments, in their present order.
        first: some of their ids, in the wanted order.

    Raises:
        Invalid: an id stands twice or is not among `present`.
    """
    for index, experiment_id in enumerate(first):
        if experiment_id not in present:
            raise Invalid.field("experiment_ids", f"{experiment_id} (at {index}) is not in this project")
    chosen = set(first)
    if len(chosen) != len(first):
        raise Invalid.field("experiment_ids", "the same id stands twice")
    order = [*first, *(experiment_id for experiment_id in present if experiment_id not in chosen)]
    return {
        experiment_id: position
        for position, experiment_id in enumerate(order)
        if present[experiment_id] != position
    }
