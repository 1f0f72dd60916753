"""With what each experiment is compared."""

from __future__ import annotations

from collections.abc import Collection

from tracker.domain.hypotheses.evidence import Absence
from tracker.domain.hypotheses.facts import Facts, Measure
from tracker.domain.hypotheses.hypothesis import Baseline, BaselineRule
from tracker.domain.ids import ExperimentId

__all__ = ["Baselines"]


class Baselines:
    """The baseline of each linked experiment by each metric.

    - ``parent``: the nearest ancestor that is no replicate of the experiment: the seventh seed of a run may
      well have the first one as its parent.
    - ``root``: the end of the primary line.
    - ``best``: of the project's complete experiments that are neither linked nor replicates of a linked one,
      the best by the metric; of equals the oldest.
    - an experiment: that one.

    An experiment whose baseline is itself, or a replicate of it, says nothing.
    """

    def __init__(self, facts: Facts, rule: Baseline, linked: Collection[ExperimentId]) -> None:
        self._facts = facts
        self._rule = rule
        self._linked = linked
        self._best: dict[tuple[str, str | None], ExperimentId | Absence] = {}

    def of(self, experiment_id: ExperimentId, measure: Measure) -> ExperimentId | Absence:
        """The baseline, or why there is none."""
        if self._rule is BaselineRule.PARENT:
            return self._parent(experiment_id)
        if self._rule is BaselineRule.ROOT:
            found: ExperimentId | Absence = self._facts.root(experiment_id)
        elif self._rule is BaselineRule.BEST:
            found = self._best_by(measure)
        else:
            found = self._rule if self._rule in self._facts.experiments else Absence.BASELINE_DELETED
        if isinstance(found, Absence):
            return found
        return Absence.OWN_BASELINE if self._facts.are_replicates(found, experiment_id) else found

    def _parent(self, experiment_id: ExperimentId) -> ExperimentId | Absence:
        above = self._facts.ancestors(experiment_id)
        others = (each for each in above if not self._facts.are_replicates(each, experiment_id))
        return next(others, Absence.NO_PARENT)

    def _best_by(self, measure: Measure) -> ExperimentId | Absence:
        key = (measure.name, measure.label)
        if key not in self._best:
            taken = {each for linked in self._linked for each in self._facts.replicates(linked)}
            free = [(value, each) for each, value in self._facts.complete(measure) if each not in taken]
            # By id, so the first of equals is the oldest.
            best = max(free, key=lambda one: measure.sign * one[0], default=None)
            self._best[key] = Absence.NO_BASELINE if best is None else best[1]
        return self._best[key]
