"""Reads how much the ends of time series scatter."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.scalars.series import SeriesSummary
from tracker.domain.statistics.spread import mad
from tracker.ports.scalars import ScalarStore

__all__ = ["SeriesTails"]

_TENTH = 10
_REMEMBERED = 50_000
_Key = tuple[ExperimentId, str, int, int]


class SeriesTails:
    """The scatter of the last tenth of series, read from their store once and then remembered for as long
    as they have the same points.

    Args:
        store: where the series are.
    """

    def __init__(self, store: ScalarStore) -> None:
        self._store = store
        self._known: dict[_Key, float] = {}

    async def __call__(
        self, project_id: ProjectId, experiment_ids: Collection[ExperimentId], names: Collection[str]
    ) -> Mapping[tuple[ExperimentId, str], float]:
        """1.4826 x the median absolute deviation of the last tenth, rounded up, of the finite points.

        Series that are not there, or have no finite point, are left out.

        Raises:
            Unavailable: the store does not answer.
        """
        found: dict[tuple[ExperimentId, str], float] = {}
        if not experiment_ids or not names:
            return found
        for row in await self._store.summary(project_id, experiment_ids, names):
            if row.count == row.non_finite:
                continue
            key = (row.experiment_id, row.name, row.count, row.modified)
            if key not in self._known:
                spread = await self._spread(project_id, row)
                if len(self._known) >= _REMEMBERED:
                    del self._known[next(iter(self._known))]
                self._known[key] = spread
            found[row.experiment_id, row.name] = self._known[key]
        return found

    async def _spread(self, project_id: ProjectId, row: SeriesSummary) -> float:
        finite = row.count - row.non_finite
        wanted = -(-finite // _TENTH)
        if wanted < 2:
            return 0.0  # one point does not scatter
        # As if steps were evenly spaced; where they are not, twice as many each time.
        steps = (row.last_step - row.first_step) // 8 + 1
        while True:
            start = max(row.first_step, row.last_step - steps)
            series = await self._store.read(project_id, row.experiment_id, row.name, start=start)
            values = [value for value in series.value.tolist() if math.isfinite(value)]
            if len(values) >= wanted or start == row.first_step:
                return mad(values[-wanted:]) if values else 0.0
            steps *= 2
