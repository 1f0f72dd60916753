"""The services over in-memory adapters, as an embedder puts them together; providers to sign in at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.doubles import SettableClock
from tests.identity_providers import HostileProvider, Opening
from tracker.adapters.importance.forest import ForestImportanceModel
from tracker.adapters.memory import MemoryUnitsOfWork
from tracker.adapters.memory.scalars import MemoryScalarStore
from tracker.adapters.security.oidc import OidcIdentityProvider
from tracker.adapters.system.ids import UuidV7Generator
from tracker.domain.comparison.budgets.service import BudgetService
from tracker.domain.comparison.importances.service import ImportanceService
from tracker.domain.comparison.service import ComparisonService
from tracker.domain.experiments.heartbeats.service import HeartbeatService
from tracker.domain.experiments.service import ExperimentService
from tracker.domain.hypotheses.links.service import LinkService
from tracker.domain.hypotheses.service import HypothesisService
from tracker.domain.hypotheses.tails.service import SeriesTails
from tracker.domain.hypotheses.verdicts.service import Verdicts
from tracker.domain.identity.actor import LOCAL_USER, Actor
from tracker.domain.metrics.runs.service import RunService
from tracker.domain.metrics.service import MetricService
from tracker.domain.projects.service import ProjectService
from tracker.domain.scalars.branches.service import BranchService
from tracker.domain.scalars.service import ScalarService
from tracker.domain.search.service import SearchService
from tracker.domain.search.summaries.service import SummaryService


@dataclass
class House:
    """One installation in memory."""

    units: MemoryUnitsOfWork = field(default_factory=MemoryUnitsOfWork)
    store: MemoryScalarStore = field(default_factory=MemoryScalarStore)
    clock: SettableClock = field(default_factory=SettableClock)
    ids: UuidV7Generator = field(default_factory=UuidV7Generator)
    actor: Actor = field(default_factory=lambda: Actor(user_id=LOCAL_USER, is_superuser=True))

    def __post_init__(self) -> None:
        self.summaries = SummaryService(self.units, self.store, self.clock)
        self.scalars = ScalarService(self.units, self.store, self.clock, self.ids, self.summaries.note)
        self.search = SearchService(self.units, self.clock, self.ids)
        self.metrics = MetricService(self.units, self.clock, self.ids)
        self.verdicts = Verdicts(SeriesTails(self.store), self.clock)
        self.hypotheses = HypothesisService(self.units, self.clock, self.ids, self.verdicts)
        self.links = LinkService(self.units, self.clock, self.verdicts)
        self.comparisons = ComparisonService(self.units, self.clock, self.search)
        self.budgets = BudgetService(self.units, self.store)
        self.importances = ImportanceService(self.units, self.clock, ForestImportanceModel())
        self.projects = ProjectService(self.units, self.clock, self.ids, self.scalars.sweep)
        self.experiments = ExperimentService(
            self.units, self.clock, self.ids, self.scalars.sweep, self.summaries.settle
        )
        self.monotonic = 1000.0
        self.heartbeats = HeartbeatService(
            self.units, self.clock, self.summaries.settle, lambda: self.monotonic, lost_after=300.0
        )
        self.branches = BranchService(self.units, self.store, self.clock, self.ids, self.summaries.settle)
        self.runs = RunService(self.experiments, self.clock, self.ids)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def hostile() -> Iterator[HostileProvider]:
    """A provider that a test may make cheat."""
    with HostileProvider().running() as provider:
        yield provider


@pytest.fixture
async def opened() -> AsyncIterator[Opening]:
    """Makes adapters and closes them."""
    made: list[OidcIdentityProvider] = []

    def make(issuer: str, client_id: str = "tracker", secret: str | None = None, **options: Any) -> Any:
        made.append(OidcIdentityProvider(issuer, client_id, secret, **options))
        return made[-1]

    yield make
    for each in made:
        await each.aclose()
