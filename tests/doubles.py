"""Stand-ins for the world's unpredictable parts; the core itself is never replaced."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tracker.domain.errors import Unavailable
from tracker.domain.ids import ExperimentId, ProjectId

__all__ = ["SettableClock", "UndeletableScalars"]


class SettableClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, 12, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> datetime:
        self._now += timedelta(**by)
        return self._now


class UndeletableScalars:
    """The part of a scalars store that a sweep uses, out of order until `works` is set."""

    def __init__(self) -> None:
        self.works = False
        self.deleted: list[tuple[ProjectId, ExperimentId | None]] = []

    async def delete(self, project_id: ProjectId, experiment_id: ExperimentId | None = None) -> None:
        if not self.works:
            raise Unavailable("the scalars store does not answer")
        self.deleted.append((project_id, experiment_id))
