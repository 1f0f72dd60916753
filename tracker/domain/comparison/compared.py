"""Experiments side by side, and the answer for a page."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import NamedTuple

from tracker.domain.comparison.code import CodeState, code_state
from tracker.domain.comparison.differences import Difference, differences
from tracker.domain.comparison.metrics import Measured, MetricRow, metric_rows
from tracker.domain.comparison.trees import Snapshots, TreeState, environment_differences, tree_state
from tracker.domain.comparison.words import in_words
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId, ProjectId

__all__ = ["Compared", "Comparison", "compare", "default_baseline"]

_NO_SNAPSHOTS: Snapshots = MappingProxyType({})


class Compared(NamedTuple):
    """An experiment that is compared."""

    id: ExperimentId
    project_id: ProjectId
    name: str
    status: Status
    parent_id: ExperimentId | None


class Comparison(NamedTuple):
    """What changed between experiments, and whether it mattered.

    Attributes:
        experiments: in the asked order.
        baseline_id: the one among them with which the others are compared.
        params, features: the leaves in which any of them differ.
        code: of each experiment, in the same order.
        trees: the files each ran with, in the same order.
        environment: the packages in which any of them differ, of those where they are known.
        metrics: tracked ones first; ``None`` to whom may see none.
        words: the answer in sentences; of two experiments only.
    """

    experiments: tuple[Compared, ...]
    baseline_id: ExperimentId
    params: tuple[Difference, ...]
    features: tuple[Difference, ...]
    code: tuple[CodeState, ...]
    trees: tuple[TreeState, ...]
    environment: tuple[Difference, ...]
    metrics: tuple[MetricRow, ...] | None
    words: str | None

    @property
    def baseline(self) -> Compared:
        """With what the others are compared."""
        return next(each for each in self.experiments if each.id == self.baseline_id)


def default_baseline(experiments: Sequence[Experiment]) -> ExperimentId:
    """The parent of the first experiment if it is among them, else the first."""
    first = experiments[0]
    return next((each.id for each in experiments if each.id == first.parent_id), first.id)


def compare(
    experiments: Sequence[Experiment],
    baseline: ExperimentId,
    measured: Measured | None,
    replicate_keys: Sequence[str] = ("seed",),
    snapshots: Snapshots = _NO_SNAPSHOTS,
) -> Comparison:
    """Puts experiments side by side.

    Args:
        experiments: at least one, each once.
        baseline: one of them.
        measured: their numbers; ``None`` = nobody may see them.
        replicate_keys: what the baseline's project lets replicates differ in.
        snapshots: the newest one of each that has any.
    """
    (base,) = [each for each in experiments if each.id == baseline]
    ordered = [base, *(each for each in experiments if each.id != baseline)]
    params = differences([(each.id, each.params) for each in ordered])
    features = differences([(each.id, each.features) for each in ordered])
    code = tuple(code_state(each.id, each.git_diff, base.git_diff) for each in experiments)
    trees = tuple(tree_state(e.id, snapshots.get(e.id), snapshots.get(baseline)) for e in experiments)
    environment = environment_differences([each.id for each in ordered], snapshots)
    metrics = None
    if measured is not None:
        metrics = metric_rows([each.id for each in experiments], baseline, measured)
    words = None
    if len(ordered) == 2:
        other = ordered[1]
        words = in_words(
            other,
            base,
            changes=(*params, *features),
            code=next(each for each in code if each.experiment_id == other.id),
            tree=next(each for each in trees if each.experiment_id == other.id),
            environment=environment,
            metrics=metrics,
            measured=measured,
            replicate_keys=replicate_keys,
        )
    return Comparison(
        tuple(Compared(e.id, e.project_id, e.name, e.status, e.parent_id) for e in experiments),
        baseline, params, features, code, trees, environment, metrics, words,
    )  # fmt: skip
