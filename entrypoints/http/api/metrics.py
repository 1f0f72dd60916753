"""Final values."""

from __future__ import annotations

from tracker.domain.ids import ExperimentId
from tracker.domain.metrics.service import MetricService

from ..exchange import Call
from ..schemas.answers import NoQuery
from ..schemas.metrics import MetricLog, MetricOut, metric_out

__all__ = ["Metrics"]


class Metrics:
    """``/api/metrics`` and an experiment's list of them."""

    def __init__(self, metrics: MetricService) -> None:
        self._metrics = metrics

    async def log(self, call: Call[MetricLog, NoQuery]) -> MetricOut:
        """Keeps a value."""
        body = call.body
        kept = await self._metrics.log(
            call.actor,
            ExperimentId(body.experiment_id),
            body.name,
            body.value,
            step=body.step,
            label=body.label,
        )
        return metric_out(kept)

    async def of_experiment(self, call: Call[None, NoQuery]) -> list[MetricOut]:
        """All of one experiment."""
        experiment_id = ExperimentId(call.path["experiment_id"])
        return [metric_out(each) for each in await self._metrics.of_experiment(call.actor, experiment_id)]
