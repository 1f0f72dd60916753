"""Tells which parameters go with a metric."""

from __future__ import annotations

import math

from tracker.domain.comparison.importance import Importance, Method, columns, ranked, warnings_about
from tracker.domain.hypotheses.links.service import require_too
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action
from tracker.domain.ids import ProjectId
from tracker.domain.projects.service import visible_project
from tracker.domain.search.service import metric_named, numbers_matching
from tracker.ports.clock import Clock
from tracker.ports.importance import ImportanceModel
from tracker.ports.unit_of_work import UnitsOfWork

__all__ = ["ImportanceService"]

_FEWEST_FOR_A_MODEL = 6


class ImportanceService:
    """Ranks the parameters of a project.

    Args:
        units: opens units of work.
        clock: tells what "a week ago" means to a filter.
        model: learns a metric from all parameters together.
    """

    def __init__(self, units: UnitsOfWork, clock: Clock, model: ImportanceModel) -> None:
        self._units = units
        self._clock = clock
        self._model = model

    async def importance(
        self,
        actor: Actor,
        project_id: ProjectId,
        metric: str,
        *,
        method: Method = Method.RANK,
        filter: str = "",
    ) -> Importance:
        """The parameters of a project by how far they go with a metric. That is no cause: a parameter that
        was changed together with another looks as important.

        Args:
            actor: who asks.
            project_id: which project's.
            metric: named as in a filter.
            method: by rank, or by a forest.
            filter: of which experiments; empty = all.

        Raises:
            NotFound: there is no such project that `actor` may see.
            Forbidden: they may not see its experiments or metrics.
            QuerySyntax: `filter` or `metric` does not parse, or `filter` names what is not there.
            Invalid: the method takes an extra that is not installed.
        """
        measure = metric_named(metric)
        async with self._units.reading() as unit:
            project = await visible_project(unit, actor, project_id, Action.METRICS_VIEW)
            require_too(actor, [Action.EXPERIMENTS_VIEW], project.scope)
            rows = await numbers_matching(unit, actor, project, filter, [measure], now=self._clock.now())
            values = {key: v for key, (v,) in rows if v is not None and math.isfinite(v)}
            runs = [row for row in await unit.hypotheses.rows(project_id) if row.id in values]
        target = [values[row.id] for row in runs]
        found = columns([row.params for row in runs])
        warnings = warnings_about(found, target)
        scores = None
        varying = [column for column in found if column.note is None]
        if method is Method.FOREST:
            enough = len(target) >= _FEWEST_FOR_A_MODEL
            learnt = await self._model.importances(varying, target) if varying and enough else ()
            scores = dict(zip((column.name for column in varying), learnt, strict=False))
            if not enough:
                warnings = (*warnings, f"a forest takes {_FEWEST_FOR_A_MODEL} runs at least")
        return Importance(
            measure.name, measure.label, method, len(target), len(rows) - len(target),
            ranked(found, target, scores), warnings,
        )  # fmt: skip
