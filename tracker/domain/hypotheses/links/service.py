"""Use cases of what is linked to hypotheses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from tracker.domain.errors import Forbidden, Invalid
from tracker.domain.hypotheses.hypothesis import JUDGED_BY, BaselineRule, Hypothesis
from tracker.domain.hypotheses.judged import JudgedHypothesis
from tracker.domain.hypotheses.verdicts.service import SEES_EVIDENCE, Verdicts, linkable_query
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action, ProjectScope, may, require
from tracker.domain.ids import ExperimentId, HypothesisId, ProjectId, SavedQueryId
from tracker.ports.clock import Clock
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork, WritingUnit

__all__ = ["LinkService", "check_changes", "check_experiments", "require_too", "visible_hypothesis"]

_Change = Callable[[WritingUnit, Hypothesis], Awaitable[Hypothesis]]


async def visible_hypothesis(
    unit: ReadingUnit, actor: Actor, hypothesis_id: HypothesisId, action: Action, *more: Action
) -> tuple[Hypothesis, ProjectScope]:
    """The hypothesis and its project's scope, if `actor` may do `action`, and what `more` it takes, there.

    Raises:
        NotFound: there is none, or the actor may not see it.
        Forbidden: they may see it, but not do this.
    """
    hypothesis, scope = await unit.hypotheses.with_scope(hypothesis_id, asker=actor.user_id)
    require(actor, action, scope, kind="hypothesis", key=hypothesis_id)
    require_too(actor, more, scope)
    return hypothesis, scope


def require_too(actor: Actor, actions: Iterable[Action], scope: ProjectScope) -> None:
    """Lets pass who may do all of this as well, where they may do something already.

    Raises:
        Forbidden: names what they lack.
    """
    for action in actions:
        if not may(actor, action, scope):
            raise Forbidden(f"this also takes the permission {action.value}, which you or your token lack")


async def check_experiments(
    unit: ReadingUnit, project_id: ProjectId, ids: Collection[ExperimentId], field: str
) -> None:
    """Lets pass experiments of the project.

    Raises:
        Invalid: one is none of it; names `field`.
    """
    known = await unit.experiments.get_many(ids)
    for each in ids:
        # One elsewhere is answered like a missing one: its existence is nobody's business here.
        if each not in known or known[each].project_id != project_id:
            raise Invalid.field(field, f"experiment {each} is not in this project", "experiment")


async def check_changes(
    unit: ReadingUnit, actor: Actor, before: Hypothesis, changes: Mapping[str, Any], scope: ProjectScope
) -> None:
    """Lets pass changes to what a hypothesis is judged by, made by somebody who may see all that it tells,
    and naming nothing new that is not in the project.

    Args:
        unit: where it is looked up.
        actor: who makes them.
        before: the hypothesis without them.
        changes: values of its fields that differ.
        scope: of its project.

    Raises:
        Forbidden: they may not see metrics or experiments there.
        NotFound: it has no such saved query.
        Invalid: an experiment is none of it.
    """
    if changes.keys().isdisjoint(JUDGED_BY):
        return
    require_too(actor, SEES_EVIDENCE, scope)
    if not isinstance(baseline := changes.get("baseline", BaselineRule.ROOT), BaselineRule):
        await check_experiments(unit, before.project_id, [baseline], "baseline")
    linked = set(before.experiments)
    new = [each for each in changes.get("experiments", ()) if each not in linked]
    await check_experiments(unit, before.project_id, new, "experiment_ids")
    for query_id in changes.get("queries", ()):
        if query_id not in before.queries:
            await linkable_query(unit, before.project_id, query_id)


class LinkService:
    """Links experiments to hypotheses, one by one or by saved queries.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        verdicts: judges hypotheses.
    """

    def __init__(self, units: UnitsOfWork, clock: Clock, verdicts: Verdicts) -> None:
        self._units = units
        self._clock = clock
        self._verdicts = verdicts

    async def link(
        self, actor: Actor, hypothesis_id: HypothesisId, experiment_ids: Sequence[ExperimentId]
    ) -> JudgedHypothesis:
        """The hypothesis with further experiments of its project.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not edit it, or not see metrics and experiments.
            Invalid: an experiment is none of the project's.
        """
        ids = tuple(experiment_ids)

        async def change(unit: WritingUnit, found: Hypothesis) -> Hypothesis:
            await check_experiments(unit, found.project_id, ids, "experiment_id")
            return found.link(ids, at=self._clock.now())

        return await self._changed(actor, hypothesis_id, change)

    async def unlink(
        self, actor: Actor, hypothesis_id: HypothesisId, experiment_id: ExperimentId
    ) -> JudgedHypothesis:
        """The hypothesis without an experiment; one that a saved query finds stays.

        Raises:
            NotFound: there is none that `actor` may see, or the experiment is not linked by itself.
            Forbidden: they may not edit it, or not see metrics and experiments.
        """

        async def change(unit: WritingUnit, found: Hypothesis) -> Hypothesis:
            return found.unlink(experiment_id, at=self._clock.now())

        return await self._changed(actor, hypothesis_id, change)

    async def link_query(
        self, actor: Actor, hypothesis_id: HypothesisId, query_id: SavedQueryId
    ) -> JudgedHypothesis:
        """The hypothesis with the experiments that a saved query finds whenever it is judged.

        Raises:
            NotFound: there is none that `actor` may see, or no such saved query.
            Forbidden: they may not edit it, or not see metrics and experiments.
        """

        async def change(unit: WritingUnit, found: Hypothesis) -> Hypothesis:
            await linkable_query(unit, found.project_id, query_id)
            return found.link_query(query_id, at=self._clock.now())

        return await self._changed(actor, hypothesis_id, change)

    async def unlink_query(
        self, actor: Actor, hypothesis_id: HypothesisId, query_id: SavedQueryId
    ) -> JudgedHypothesis:
        """The hypothesis without the experiments that a saved query finds.

        Raises:
            NotFound: there is none that `actor` may see, or the query is not linked.
            Forbidden: they may not edit it, or not see metrics and experiments.
        """

        async def change(unit: WritingUnit, found: Hypothesis) -> Hypothesis:
            return found.unlink_query(query_id, at=self._clock.now())

        return await self._changed(actor, hypothesis_id, change)

    async def _changed(self, actor: Actor, hypothesis_id: HypothesisId, change: _Change) -> JudgedHypothesis:
        async with self._units.writing() as unit:
            needed = (Action.HYPOTHESES_EDIT, *SEES_EVIDENCE)
            found, _ = await visible_hypothesis(unit, actor, hypothesis_id, *needed)
            changed = await change(unit, found)
            if changed != found:
                changed = await unit.hypotheses.save(changed)
                await unit.commit()
        async with self._units.reading() as unit:
            return await self._verdicts.one(unit, actor, changed)
