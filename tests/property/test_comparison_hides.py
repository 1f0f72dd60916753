"""What one may not see leaves no trace in a comparison: no row, count, best value, replicate nor error."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from tests.doubles import SettableClock
from tests.factories import new_id
from tests.property.test_search_hides import TESTS, _filled, _made_secret
from tests.search_cases import a_project_with_metrics, marks_of, metrics_of, runs_of
from tests.side_by_side import close_shared_database, emptied, shared_database
from tracker.adapters.importance.forest import ForestImportanceModel
from tracker.adapters.memory import MemoryUnitsOfWork
from tracker.adapters.system.ids import UuidV7Generator
from tracker.domain.comparison.importances.service import ImportanceService
from tracker.domain.comparison.service import ComparisonService
from tracker.domain.errors import TrackerError
from tracker.domain.identity.actions import Action
from tracker.domain.identity.actor import Access, Actor
from tracker.domain.identity.roles import Role
from tracker.domain.ids import UserId
from tracker.domain.search.service import SearchService
from tracker.ports.unit_of_work import UnitsOfWork


@pytest.fixture(scope="module", autouse=True)
def closed_at_the_end() -> Iterator[None]:
    yield
    close_shared_database()


class Asked:
    """The services over some units, and what they tell one actor, as text."""

    def __init__(self, units: UnitsOfWork, actor: Actor) -> None:
        clock = SettableClock()
        self.comparisons = ComparisonService(units, clock, SearchService(units, clock, UuidV7Generator()))
        self.importances = ImportanceService(units, clock, ForestImportanceModel())
        self.actor = actor

    async def __call__(self, ask: Callable[[Asked], Awaitable[object]]) -> str:
        try:
            return repr(await ask(self)).replace("=-0.0", "=0.0")
        except TrackerError as error:
            return f"{type(error)} {error.detail}"


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_comparison_tells_nothing_of_what_one_may_not_see(data: st.DataObject) -> None:
    """The whole installation in SQL, and in memory only what the actor may see, answer alike."""
    loop, database = shared_database()
    loop.run(emptied(database.units))
    seen, hidden = (data.draw(a_project_with_metrics()) for _ in range(2))
    runs: list[Any] = []
    for _ in range(data.draw(st.integers(1, 4))):
        runs.append(data.draw(runs_of(seen, [run.id for run in runs])))
    secrets = [_made_secret(data.draw(runs_of(hidden, []))) for _ in range(data.draw(st.integers(1, 2)))]
    values = [(data.draw(metrics_of(run)), data.draw(marks_of(run))) for run in (*runs, *secrets)]
    whole, small = database.units, MemoryUnitsOfWork()
    loop.run(_filled(whole, [seen, hidden], [*runs, *secrets], values))
    loop.run(_filled(small, [seen], runs, values[: len(runs)]))
    scopes = data.draw(st.sampled_from([None, frozenset({Action.EXPERIMENTS_VIEW})]))
    actor = Actor(user_id=UserId(new_id()), access=Access(projects={seen.id: Role.VIEWER}), scopes=scopes)
    ids = [run.id for run in (*runs, *secrets)]
    chosen = data.draw(st.lists(st.sampled_from(ids), min_size=1, max_size=4))
    base = data.draw(st.none() | st.sampled_from(ids))
    project = data.draw(st.sampled_from([seen.id, hidden.id]))
    where = data.draw(st.just("") | st.sampled_from(TESTS))
    minimize = data.draw(st.sampled_from([[], ["acc"]]))
    for ask in (
        lambda asked: asked.comparisons.compare(asked.actor, chosen, base),
        lambda asked: asked.comparisons.matrix(asked.actor, project, filter=where, baseline=base),
        lambda asked: asked.comparisons.front(asked.actor, project, ["acc", "loss"], minimize=minimize),
        lambda asked: asked.comparisons.front(asked.actor, project, ["acc", "secret"], filter=where),
        lambda asked: asked.importances.importance(asked.actor, project, "acc", filter=where),
    ):
        told = [loop.run(Asked(units, actor)(ask)) for units in (whole, small)]
        assert told[0] == told[1]
