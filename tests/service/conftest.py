"""The services over in-memory adapters, as an embedder would put them together."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.doubles import SettableClock
from tracker.adapters.memory import MemoryUnitsOfWork
from tracker.adapters.memory.scalars import MemoryScalarStore
from tracker.adapters.system.ids import UuidV7Generator
from tracker.domain.experiments.service import ExperimentService
from tracker.domain.identity.actor import LOCAL_USER, Actor
from tracker.domain.metrics.service import MetricService
from tracker.domain.projects.service import ProjectService
from tracker.domain.scalars.service import ScalarService


@dataclass
class House:
    """One installation in memory."""

    units: MemoryUnitsOfWork = field(default_factory=MemoryUnitsOfWork)
    store: MemoryScalarStore = field(default_factory=MemoryScalarStore)
    clock: SettableClock = field(default_factory=SettableClock)
    ids: UuidV7Generator = field(default_factory=UuidV7Generator)
    actor: Actor = field(default_factory=lambda: Actor(user_id=LOCAL_USER, is_superuser=True))

    def __post_init__(self) -> None:
        self.scalars = ScalarService(self.units, self.store, self.clock, self.ids)
        self.metrics = MetricService(self.units, self.clock, self.ids)
        self.projects = ProjectService(self.units, self.clock, self.ids, self.scalars.sweep)
        self.experiments = ExperimentService(
            self.units, self.clock, self.ids, self.scalars.sweep, self.scalars.settle
        )


@pytest.fixture
def house() -> House:
    return House()
