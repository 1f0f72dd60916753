"""Letting go of what runners keep of jobs that are no more.

Whoever deletes a job has its runner forget it. But a job also goes with its project, whoever deletes may die
between the two, and a process that slept may bring an attempt to the runner later still.
"""

from __future__ import annotations

from tracker.domain.ids import JobId
from tracker.ports.evaluation.runner import JobRunner
from tracker.ports.unit_of_work import UnitsOfWork

__all__ = ["Forgetting"]

_SOME = 500


class Forgetting:
    """Finds what is left of deleted jobs, some at a time.

    Args:
        units: opens units of work.
        runner: of the workers.
        some: jobs are looked up at a time.
    """

    def __init__(self, units: UnitsOfWork, runner: JobRunner, *, some: int = _SOME) -> None:
        self._units = units
        self._runner = runner
        self._some = some
        self._after: JobId | None = None

    async def sweep(self) -> None:
        """Looks at the next few of the jobs that the runner knows.

        Raises:
            Unavailable: the database or the runner does not answer.
        """
        # The runner is asked first: of whatever it has then, there was a job before.
        known = sorted(await self._runner.known())
        some = [each for each in known if self._after is None or each > self._after][: self._some]
        self._after = some[-1] if len(some) == self._some else None
        async with self._units.reading() as unit:
            present = await unit.jobs.some(some)
        for job_id in some:
            if job_id not in present:
                await self._runner.forget(job_id)
