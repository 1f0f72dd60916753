"""A claim about experiments, and by what it is judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints
from pydantic_core import PydanticCustomError

from tracker.domain.errors import Invalid, NotFound
from tracker.domain.frozen import Frozen
from tracker.domain.ids import DecisionId, ExperimentId, HypothesisId, ProjectId, SavedQueryId, UserId
from tracker.domain.projects.project import Direction
from tracker.domain.text import Description, Label, MetricName, storable

__all__ = [
    "HIDDEN_EXPERIMENT", "JUDGED_BY", "Baseline", "BaselineRule", "Decision", "Hypothesis",
    "HypothesisStatus", "Target",
]  # fmt: skip

HIDDEN_EXPERIMENT = ExperimentId(UUID(int=0))
"""Stands where those who may not see experiments would read which one is the baseline: that it is an
experiment, and not a rule, is true; which one is theirs to know who may see it."""

JUDGED_BY = ("targets", "baseline", "threshold", "alpha", "experiments", "queries")
"""The fields on which the computed verdict rests. Whoever chooses them can ask it about any number."""


class HypothesisStatus(StrEnum):
    """Where a hypothesis stands."""

    PROPOSED = "proposed"
    TESTING = "testing"
    SUPPORTED = "supported"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"


class BaselineRule(StrEnum):
    """What each experiment is compared with, where no experiment is named."""

    ROOT = "root"
    PARENT = "parent"
    BEST = "best"


Baseline = BaselineRule | ExperimentId
"""The end of the primary line, the nearest parent that is no replicate, the best experiment that is not
linked, or one experiment."""


class Target(Frozen):
    """A metric that the hypothesis says will change.

    Attributes:
        name: as it is logged.
        label: only values logged under this label count; ``None`` takes the project's only metric of this
            name, else those without a label.
        direction: which way is better; ``None`` = as the project's metric has it, else maximize.
        weight: how much it counts beside the other targets.
    """

    name: MetricName
    label: Label | None = None
    direction: Direction | None = None
    weight: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False, strict=False)] = 1.0


class Decision(Frozen):
    """What somebody decided in place of the computed verdict.

    Attributes:
        status: that counts from here on; ``None`` = the computed one counts again.
        computed: the verdict at that time.
        reason: why; existing clients may give none.
        author_id: who; ``None`` when nobody knows any more.
    """

    id: DecisionId
    hypothesis_id: HypothesisId
    status: HypothesisStatus | None
    computed: HypothesisStatus
    reason: Description
    author_id: UserId | None
    at: AwareDatetime


def _told_apart(targets: tuple[Target, ...]) -> tuple[Target, ...]:
    keys = [(target.name, target.label) for target in targets]
    if len(set(keys)) != len(keys):
        raise PydanticCustomError("targets_unique", "the same name and label stand twice")
    return targets


def _in_order(ids: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted(set(ids)))


Title = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(storable)]
Targets = Annotated[tuple[Target, ...], Field(max_length=100), AfterValidator(_told_apart)]
Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False, strict=False)]


class Hypothesis(Frozen):
    """A claim, the experiments that test it, and by what they are judged.

    Attributes:
        author_id: who made it; ``None`` when nobody knows any more.
        targets: the metrics that count; with none nothing can be judged.
        baseline: what each experiment is compared with.
        threshold: how strong the evidence must be, on the scale of the score from -1 to 1.
        alpha: bound on the probability that intervals see a change where there is none.
        experiments: those linked one by one, by id.
        queries: saved queries whose experiments are linked too, by id.
        decision: the last one, unless it says to follow the computed verdict.
        version: counts the saves; a save of an older one is refused.
    """

    id: HypothesisId
    project_id: ProjectId
    title: Title
    description: Description = ""
    author_id: UserId | None = None
    targets: Targets = ()
    baseline: Baseline = BaselineRule.ROOT
    threshold: Share = 0.2
    alpha: Share = 0.05
    experiments: Annotated[tuple[ExperimentId, ...], AfterValidator(_in_order)] = ()
    queries: Annotated[tuple[SavedQueryId, ...], AfterValidator(_in_order)] = ()
    decision: Decision | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    version: int = 0

    def link(self, experiments: tuple[ExperimentId, ...], *, at: datetime) -> Self:
        """With further experiments; one that is linked already changes nothing."""
        return self._changed(at, experiments=(*self.experiments, *experiments))

    def unlink(self, experiment_id: ExperimentId, *, at: datetime) -> Self:
        """Without an experiment.

        Raises:
            NotFound: it is not linked by itself.
        """
        if experiment_id not in self.experiments:
            raise NotFound(f"experiment {experiment_id} is not linked to hypothesis {self.id}")
        return self._changed(at, experiments=tuple(e for e in self.experiments if e != experiment_id))

    def link_query(self, query_id: SavedQueryId, *, at: datetime) -> Self:
        """With the experiments of a further saved query."""
        return self._changed(at, queries=(*self.queries, query_id))

    def unlink_query(self, query_id: SavedQueryId, *, at: datetime) -> Self:
        """Without the experiments of a saved query, unless they are linked otherwise.

        Raises:
            NotFound: it is not linked.
        """
        if query_id not in self.queries:
            raise NotFound(f"saved query {query_id} is not linked to hypothesis {self.id}")
        return self._changed(at, queries=tuple(q for q in self.queries if q != query_id))

    def targets_named(self, names: Iterable[str]) -> tuple[Target, ...]:
        """Targets of these names: its own where it has some, and else new ones. The names that it has
        change nothing."""
        names = tuple(dict.fromkeys(names))
        if names == tuple(dict.fromkeys(target.name for target in self.targets)):
            return self.targets
        own = {name: [target for target in self.targets if target.name == name] for name in names}
        return tuple(target for name, known in own.items() for target in known or [Target(name=name)])

    def judged_like(self, other: Self) -> bool:
        """Whether the same experiments say the same of both."""
        return all(getattr(self, field) == getattr(other, field) for field in JUDGED_BY)

    def unjudged(self) -> Self:
        """With nothing that somebody chose to judge it by."""
        return self.evolve(**{field: type(self).model_fields[field].default for field in JUDGED_BY})

    def without_experiments(self) -> Self:
        """As those see it who may not see experiments: nothing tells which ones are linked, by which saved
        queries, or which one is the baseline."""
        rule = isinstance(self.baseline, BaselineRule)
        return self.evolve(experiments=(), queries=(), baseline=self.baseline if rule else HIDDEN_EXPERIMENT)

    def differing(self, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Those of `changes` that change something.

        Raises:
            Invalid: one breaks a rule.
        """
        changed = self.evolve(**changes)
        told = {field: getattr(changed, field) for field in changes}
        return {field: value for field, value in told.items() if value != getattr(self, field)}

    def decided(self, decision: Decision) -> Self:
        """After somebody decided.

        Raises:
            Invalid: the decision is about another hypothesis.
        """
        if decision.hypothesis_id != self.id:
            raise Invalid.field("hypothesis_id", f"the decision is about {decision.hypothesis_id}")
        return self.evolve(decision=decision if decision.status else None, updated_at=decision.at)

    def judged(self, computed: HypothesisStatus) -> HypothesisStatus:
        """The status that counts, beside the computed one."""
        return computed if self.decision is None or self.decision.status is None else self.decision.status

    def _changed(self, at: datetime, **changes: Any) -> Self:
        changed = self.evolve(**changes)
        return self if changed == self else changed.evolve(updated_at=at)
