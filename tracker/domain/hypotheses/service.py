"""Use cases of hypotheses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tracker.domain.errors import Invalid
from tracker.domain.hypotheses.evidence import Evidence
from tracker.domain.hypotheses.hypothesis import BaselineRule, Decision, Hypothesis, HypothesisStatus
from tracker.domain.hypotheses.judged import JudgedHypothesis
from tracker.domain.hypotheses.links.service import (
    check_experiments,
    require_too,
    visible_hypothesis,
)
from tracker.domain.hypotheses.verdicts.service import SEES_EVIDENCE, Verdicts, linkable_query
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
_FIELDS = {"experiments": "experiment_ids", "baseline": "baseline"}
"""What edges call the fields that name experiments."""


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
        return await self._shown(actor, found)

    async def evidence(self, actor: Actor, hypothesis_id: HypothesisId) -> Evidence:
        """The verdict and every number it rests on.

        Raises:
            NotFound: there is no such hypothesis that `actor` may see.
            Forbidden: they may not see experiments or metrics there.
        """
        async with self._units.reading() as unit:
            actions = (Action.HYPOTHESES_VIEW, *SEES_EVIDENCE)
            found, _ = await visible_hypothesis(unit, actor, hypothesis_id, *actions)
        return await self._evidence(found)

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
            Forbidden: they may not add to it, or not see the experiments they name.
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
            await self._check_named(unit, actor, project, made, fields.keys())
        decision = await self._told(actor, made, made, status, status_reason)
        async with self._units.writing() as unit:
            await visible_project(unit, actor, project_id, Action.HYPOTHESES_CREATE)
            await unit.hypotheses.add(made)
            if decision is not None:
                made = await self._decide(unit, actor, project.scope, made, decision)
            await unit.commit()
        return await self._shown(actor, made)

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
        """The hypothesis with `changes` to its fields.

        Args:
            actor: who changes it.
            hypothesis_id: which.
            status: decided, if it is another than the present one.
            status_reason: why.
            target_names: metrics that are to be its targets; what is known of those that stay is kept.
            changes: title, description, targets, baseline, threshold, alpha, experiments, queries.

        Raises:
            NotFound: there is none that `actor` may see, or no such saved query.
            Forbidden: they may not edit it, or not see the experiments they name.
            Invalid: a change breaks a rule or names no editable field, or an experiment is none of the
                project's.
        """
        for field in changes.keys() - _EDITABLE:
            raise Invalid.field(field, "cannot be changed")
        async with self._units.reading() as unit:
            found, _ = await visible_hypothesis(unit, actor, hypothesis_id, Action.HYPOTHESES_EDIT)
            if target_names is not None:
                changes.setdefault("targets", found.targets_named(target_names))
            project = await unit.projects.get(found.project_id)
            await self._check_named(unit, actor, project, found.evolve(**changes), changes.keys())
        decision = await self._told(actor, found, found.evolve(**changes), status, status_reason)
        async with self._units.writing() as unit:
            found, scope = await visible_hypothesis(unit, actor, hypothesis_id, Action.HYPOTHESES_EDIT)
            changed = found.evolve(**changes)
            if changed != found:
                changed = await unit.hypotheses.save(changed.evolve(updated_at=self._clock.now()))
            if decision is not None:
                changed = await self._decide(unit, actor, scope, changed, decision)
            await unit.commit()
        return await self._shown(actor, changed)

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
            found, _ = await visible_hypothesis(unit, actor, hypothesis_id, Action.HYPOTHESES_EDIT)
        computed = (await self._evidence(found)).computed_status
        decision = self._decision(actor, found.id, status, reason, computed)
        async with self._units.writing() as unit:
            found, scope = await visible_hypothesis(unit, actor, hypothesis_id, Action.HYPOTHESES_EDIT)
            saved = await self._decide(unit, actor, scope, found, decision)
            await unit.commit()
        return await self._shown(actor, saved)

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

    async def _told(
        self,
        actor: Actor,
        before: Hypothesis,
        after: Hypothesis,
        status: HypothesisStatus | None,
        reason: str,
    ) -> Decision | None:
        """The decision in a request that names a status. Clients that send whole hypotheses back decide
        nothing by the status that they were shown."""
        if status is None:
            return None
        shown = before.judged((await self._evidence(before)).computed_status)
        if status is shown and not reason:
            return None
        computed = (await self._evidence(after)).computed_status
        return self._decision(actor, after.id, status, reason, computed)

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

    async def _shown(self, actor: Actor, found: Hypothesis) -> JudgedHypothesis:
        async with self._units.reading() as unit:
            return await self._verdicts.one(unit, actor, found)

    async def _evidence(self, found: Hypothesis) -> Evidence:
        async with self._units.reading() as unit:
            project = await unit.projects.get(found.project_id)
            (evidence,) = await self._verdicts.evidence(unit, project, [found])
        return evidence

    async def _check_named(
        self, unit: ReadingUnit, actor: Actor, project: Project, named: Hypothesis, fields: Collection[str]
    ) -> None:
        """Lets pass saved queries of the project, and experiments named by somebody who may see them."""
        experiments = {"experiments": named.experiments}
        if not isinstance(named.baseline, BaselineRule):
            experiments["baseline"] = (named.baseline,)
        for field, ids in experiments.items():
            if field in fields and ids:
                require_too(actor, [Action.EXPERIMENTS_VIEW], project.scope)
                await check_experiments(unit, project.id, ids, _FIELDS[field])
        if "queries" in fields and named.queries:
            require_too(actor, [Action.EXPERIMENTS_VIEW], project.scope)
            for query_id in named.queries:
                await linkable_query(unit, project.id, query_id)
