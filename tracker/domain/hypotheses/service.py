"""Use cases of hypotheses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tracker.domain.errors import Invalid
from tracker.domain.hypotheses.evidence import Evidence
from tracker.domain.hypotheses.hypothesis import Decision, Hypothesis, HypothesisStatus
from tracker.domain.hypotheses.judged import JudgedHypothesis
from tracker.domain.hypotheses.links.service import (
    check_changes,
    visible_hypothesis,
)
from tracker.domain.hypotheses.verdicts.service import SEES_EVIDENCE, Verdicts, as_seen
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.audit.service import record
from tracker.domain.identity.policy import Action, ProjectScope, may
from tracker.domain.ids import DecisionId, HypothesisId, ProjectId
from tracker.domain.projects.project import Project
from tracker.domain.projects.service import visible_project
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork, WritingUnit

__all__ = ["HypothesisService"]

_EDITABLE = frozenset(
    {"title", "description", "targets", "baseline", "threshold", "alpha", "experiments", "queries"}
)


class HypothesisService:
    """Everything people do with hypotheses. Verdicts are computed when they are read.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ids: names new things.
        verdicts: judges them.
    """

    def __init__(self, units: UnitsOfWork, clock: Clock, ids: IdGenerator, verdicts: Verdicts) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids
        self._verdicts = verdicts

    async def list(self, actor: Actor, project_id: ProjectId) -> tuple[JudgedHypothesis, ...]:
        """A project's hypotheses, oldest first.

        Raises:
            NotFound: there is no such project that `actor` may see.
        """
        async with self._units.reading() as unit:
            project = await visible_project(unit, actor, project_id, Action.HYPOTHESES_VIEW)
            return await self._verdicts.shown(unit, actor, project, await unit.hypotheses.list(project_id))

    async def recent(
        self, actor: Actor, *, project_id: ProjectId | None = None, limit: int = 10
    ) -> tuple[JudgedHypothesis, ...]:
        """The newest hypotheses of one project or of all that `actor` may see, newest first.

        Raises:
            NotFound: there is no such project that `actor` may see.
            Invalid: `limit` is not within 1 to 1000.
        """
        if not 1 <= limit <= 1000:
            raise Invalid.field("limit", "must be from 1 to 1000")
        async with self._units.reading() as unit:
            if project_id is not None:
                projects: Sequence[Project] = [
                    await visible_project(unit, actor, project_id, Action.HYPOTHESES_VIEW)
                ]
            else:
                all_of_them = await unit.projects.list()
                projects = [p for p in all_of_them if may(actor, Action.HYPOTHESES_VIEW, p.scope)]
            found = await unit.hypotheses.recent([project.id for project in projects], limit)
            shown: dict[HypothesisId, JudgedHypothesis] = {}
            for project in projects:
                own = [each for each in found if each.project_id == project.id]
                shown.update(
                    (each.id, each) for each in await self._verdicts.shown(unit, actor, project, own)
                )
        return tuple(shown[each.id] for each in found)

    async def get(self, actor: Actor, hypothesis_id: HypothesisId) -> JudgedHypothesis:
        """One hypothesis.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        async with self._units.reading() as unit:
            found, _ = await visible_hypothesis(unit, actor, hypothesis_id, Action.HYPOTHESES_VIEW)
            return await self._verdicts.one(unit, actor, found)

    async def evidence(self, actor: Actor, hypothesis_id: HypothesisId) -> Evidence:
        """The verdict and every number it rests on.

        Raises:
            NotFound: there is no such hypothesis that `actor` may see.
            Forbidden: they may not see experiments or metrics there.
        """
        async with self._units.reading() as unit:
            actions = (Action.HYPOTHESES_VIEW, *SEES_EVIDENCE)
            found, _ = await visible_hypothesis(unit, actor, hypothesis_id, *actions)
            return await self._evidence(unit, found)

    async def counts(self, actor: Actor, project_id: ProjectId) -> Mapping[HypothesisStatus, int]:
        """How many of a project's hypotheses have each status.

        Raises:
            NotFound: there is no such project that `actor` may see.
        """
        async with self._units.reading() as unit:
            project = await visible_project(unit, actor, project_id, Action.PROJECT_VIEW)
            found = await unit.hypotheses.list(project_id)
            return Counter(each.status for each in await self._verdicts.evidence(unit, project, found))

    async def create(
        self,
        actor: Actor,
        project_id: ProjectId,
        *,
        title: str,
        status: HypothesisStatus | None = None,
        status_reason: str = "",
        **fields: Any,
    ) -> JudgedHypothesis:
        """A new hypothesis of the project.

        Args:
            actor: its author.
            project_id: of which project.
            title: 1 to 200 characters.
            status: decided from the start, if it is not what is computed.
            status_reason: why.
            fields: description, targets, baseline, threshold, alpha, experiments, queries.

        Raises:
            NotFound: there is no such project that `actor` may see, or no such saved query.
            Forbidden: they may not add to it, or choose by what it is judged (targets, baseline, threshold,
                alpha, experiments, queries) without seeing metrics and experiments.
            Invalid: a field breaks a rule, or an experiment is none of the project's.
        """
        for field in fields.keys() - _EDITABLE:
            raise Invalid.field(field, "is not a field of a hypothesis")
        now = self._clock.now()
        made = Hypothesis(
            id=HypothesisId(self._ids.new()), project_id=project_id, title=title, author_id=actor.user_id,
            created_at=now, updated_at=now, **fields,
        )  # fmt: skip
        async with self._units.reading() as unit:
            project = await visible_project(unit, actor, project_id, Action.HYPOTHESES_CREATE)
            bare = made.unjudged()
            chosen = {field: getattr(made, field) for field in fields}
            await check_changes(unit, actor, bare, bare.differing(chosen), project.scope)
            judged, decision = None, None
            if status is not None:
                judged = await self._evidence(unit, made)
                decision = self._told(actor, made, status, status_reason, before=judged, after=judged)
        async with self._units.writing() as unit:
            await visible_project(unit, actor, project_id, Action.HYPOTHESES_CREATE)
            await unit.hypotheses.add(made)
            if decision is not None:
                made = await self._decide(unit, actor, project.scope, made, decision)
            await unit.commit()
        return await self._shown(actor, made, judged)

    async def edit(
        self,
        actor: Actor,
        hypothesis_id: HypothesisId,
        *,
        status: HypothesisStatus | None = None,
        status_reason: str = "",
        target_names: Sequence[str] | None = None,
        **changes: Any,
    ) -> JudgedHypothesis:
        """The hypothesis with `changes` to its fields. What equals that which `actor` is shown is no change.

        Args:
            actor: who changes it.
            hypothesis_id: which.
            status: decided, if it is another than the present one.
            status_reason: why.
            target_names: metrics that are to be its targets; what is known of those that stay is kept.
            changes: title, description, targets, baseline, threshold, alpha, experiments, queries.

        Raises:
            NotFound: there is none that `actor` may see, or no such saved query.
            Forbidden: they may not edit it, or change by what it is judged (targets, baseline, threshold,
                alpha, experiments, queries) without seeing metrics and experiments.
            Invalid: a change breaks a rule or names no editable field, or an experiment is none of the
                project's.
        """
        for field in changes.keys() - _EDITABLE:
            raise Invalid.field(field, "cannot be changed")
        async with self._units.reading() as unit:
            found, scope = await visible_hypothesis(unit, actor, hypothesis_id, Action.HYPOTHESES_EDIT)
            if target_names is not None:
                changes.setdefault("targets", found.targets_named(target_names))
            real = as_seen(actor, scope, found).differing(changes)
            await check_changes(unit, actor, found, real, scope)
            wanted, judged, decision = found.evolve(**real), None, None
            if status is not None:
                before, judged = await self._both(unit, found, wanted)
                decision = self._told(actor, found, status, status_reason, before=before, after=judged)
        async with self._units.writing() as unit:
            found, scope = await visible_hypothesis(unit, actor, hypothesis_id, Action.HYPOTHESES_EDIT)
            changed = found.evolve(**real)
            if changed != found:
                changed = await unit.hypotheses.save(changed.evolve(updated_at=self._clock.now()))
            if decision is not None:
                changed = await self._decide(unit, actor, scope, changed, decision)
            await unit.commit()
        return await self._shown(actor, changed, judged if changed.judged_like(wanted) else None)

    async def decide(
        self, actor: Actor, hypothesis_id: HypothesisId, status: HypothesisStatus | None, reason: str
    ) -> JudgedHypothesis:
        """The hypothesis with a status that counts in place of the computed one.

        Args:
            actor: who decides.
            hypothesis_id: about which.
            status: ``None`` = the computed one counts again.
            reason: why, 1 to 1000 characters.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not edit it.
            Invalid: there is no reason, or it is too long.
        """
        if not reason:
            raise Invalid.field("reason", "say why, in 1 to 1000 characters", "missing")
        async with self._units.reading() as unit:
            before, _ = await visible_hypothesis(unit, actor, hypothesis_id, Action.HYPOTHESES_EDIT)
            judged = await self._evidence(unit, before)
        decision = self._decision(actor, before.id, status, reason, judged.computed_status)
        async with self._units.writing() as unit:
            found, scope = await visible_hypothesis(unit, actor, hypothesis_id, Action.HYPOTHESES_EDIT)
            saved = await self._decide(unit, actor, scope, found, decision)
            await unit.commit()
        return await self._shown(actor, saved, judged if saved.judged_like(before) else None)

    async def decisions(self, actor: Actor, hypothesis_id: HypothesisId) -> tuple[Decision, ...]:
        """Everything that was decided about a hypothesis, oldest first.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        async with self._units.reading() as unit:
            await visible_hypothesis(unit, actor, hypothesis_id, Action.HYPOTHESES_VIEW)
            return await unit.hypotheses.decisions(hypothesis_id)

    async def delete(self, actor: Actor, hypothesis_id: HypothesisId) -> None:
        """Removes the hypothesis with its links and decisions.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not delete it.
        """
        async with self._units.writing() as unit:
            found, scope = await visible_hypothesis(unit, actor, hypothesis_id, Action.HYPOTHESES_DELETE)
            await unit.hypotheses.delete(hypothesis_id)
            await record(
                unit, actor, "hypothesis.delete", "hypothesis", hypothesis_id,
                at=self._clock.now(), scope=scope, title=found.title,
            )  # fmt: skip
            await unit.commit()

    def _decision(
        self,
        actor: Actor,
        hypothesis_id: HypothesisId,
        status: HypothesisStatus | None,
        reason: str,
        computed: HypothesisStatus,
    ) -> Decision:
        return Decision(
            id=DecisionId(self._ids.new()), hypothesis_id=hypothesis_id, status=status, computed=computed,
            reason=reason, author_id=actor.user_id, at=self._clock.now(),
        )  # fmt: skip

    def _told(
        self,
        actor: Actor,
        found: Hypothesis,
        status: HypothesisStatus,
        reason: str,
        *,
        before: Evidence,
        after: Evidence,
    ) -> Decision | None:
        """The decision in a request that names a status, between the verdicts before and after its changes.
        Clients that send whole hypotheses back decide nothing by the status that they were shown."""
        if status is found.judged(before.computed_status) and not reason:
            return None
        return self._decision(actor, found.id, status, reason, after.computed_status)

    async def _decide(
        self, unit: WritingUnit, actor: Actor, scope: ProjectScope, found: Hypothesis, decision: Decision
    ) -> Hypothesis:
        await unit.hypotheses.decide(decision)
        saved = await unit.hypotheses.save(found.decided(decision))
        await record(
            unit, actor, "hypothesis.decide", "hypothesis", found.id, at=decision.at, scope=scope,
            status=decision.status.value if decision.status else "computed", computed=decision.computed.value,
        )  # fmt: skip
        return saved

    async def _shown(self, actor: Actor, found: Hypothesis, judged: Evidence | None) -> JudgedHypothesis:
        async with self._units.reading() as unit:
            return await self._verdicts.one(unit, actor, found, judged)

    async def _evidence(self, unit: ReadingUnit, found: Hypothesis) -> Evidence:
        _, evidence = await self._both(unit, found, found)
        return evidence

    async def _both(
        self, unit: ReadingUnit, before: Hypothesis, after: Hypothesis
    ) -> tuple[Evidence, Evidence]:
        """What experiments say of a hypothesis as it was and as it is to be, read once."""
        project = await unit.projects.get(before.project_id)
        versions = [before] if before.judged_like(after) else [before, after]
        judged = await self._verdicts.evidence(unit, project, versions)
        return judged[0], judged[-1]
