"""Everything that one in-memory installation holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from tracker.domain.experiments.experiment import Experiment
from tracker.domain.identity.actor import LOCAL_USER, User
from tracker.domain.ids import ExperimentId, ProjectId, PurgeId, UserId
from tracker.domain.metrics.metric import Metric
from tracker.domain.projects.project import Project
from tracker.domain.projects.purge import Purge

__all__ = ["Current", "MetricKey", "State"]

MetricKey = tuple[ExperimentId, str, str | None, int]


def _local_user() -> dict[UserId, User]:
    return {
        LOCAL_USER: User(
            id=LOCAL_USER,
            email="local@localhost",
            display_name="Local user",
            created_at=datetime(1970, 1, 1, tzinfo=UTC),
        )
    }


@dataclass
class State:
    """One dictionary a table. Its values are immutable, so a shallow copy is a snapshot."""

    users: dict[UserId, User] = field(default_factory=_local_user)
    projects: dict[ProjectId, Project] = field(default_factory=dict)
    experiments: dict[ExperimentId, Experiment] = field(default_factory=dict)
    metrics: dict[MetricKey, Metric] = field(default_factory=dict)
    purges: dict[PurgeId, Purge] = field(default_factory=dict)

    def copy(self) -> State:
        """A snapshot that can be changed without changing this one."""
        return State(
            dict(self.users),
            dict(self.projects),
            dict(self.experiments),
            dict(self.metrics),
            dict(self.purges),
        )


@dataclass
class Current:
    """Points at the state that counts now: the committed one, or a writing unit's own copy."""

    state: State = field(default_factory=State)
