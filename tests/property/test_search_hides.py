"""What one may not see leaves no trace in a search: neither rows nor pages, fields, errors nor order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from tests.doubles import SettableClock
from tests.factories import new_id
from tests.search_cases import a_project_with_metrics, marks_of, metrics_of, runs_of
from tests.side_by_side import close_shared_database, emptied, shared_database
from tests.tries import tries
from tracker.adapters.memory import MemoryUnitsOfWork
from tracker.adapters.system.ids import UuidV7Generator
from tracker.domain.errors import TrackerError
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.identity.actions import Action
from tracker.domain.identity.actor import Access, Actor
from tracker.domain.identity.roles import Role
from tracker.domain.ids import UserId
from tracker.domain.projects.project import Project
from tracker.domain.search.service import SearchService
from tracker.ports.unit_of_work import UnitsOfWork

HIDDEN = "9_hidden"
TESTS = [
    "acc > 0", "loss[val] is not null", "max(acc) = inf", "metrics.secret is null", "metrics.secret > 0",
    "params.lr = 1", "params.secret = 1", "features.secret is not null", 'tag = "a"', 'tag = "secret"',
    "tag is null", f'descendant_of("{HIDDEN}")', "descendant_of(9)", f'ancestor_of("{HIDDEN}")', "parent = 9",
    'name like "%hidden"', 'name matches "a"', 'user = "local@localhost"', "status = running",
    "parent is null", 'params.secret like "%"', 'tag ilike "S%"', 'created > "2026-01-01"',
]  # fmt: skip
ORDERS = ["", "-acc", "metrics.secret,-acc", "params.secret,name", "name,-created", "tags"]
texts = st.recursive(
    st.sampled_from(TESTS),
    lambda inner: (
        inner.map(lambda text: f"not ({text})")
        | st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: f"({' '.join(parts)})")
    ),
    max_leaves=4,
)


@pytest.fixture(scope="module", autouse=True)
def closed_at_the_end() -> Iterator[None]:
    yield
    close_shared_database()


@settings(max_examples=tries(15), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_search_answers_as_if_there_were_nothing_but_what_one_may_see(data: st.DataObject) -> None:
    loop, database = shared_database()
    loop.run(emptied(database.units))
    seen, hidden = (data.draw(a_project_with_metrics()) for _ in range(2))
    runs = [data.draw(runs_of(seen, [])) for _ in range(data.draw(st.integers(0, 3)))]
    secrets = [_made_secret(data.draw(runs_of(hidden, []))) for _ in range(data.draw(st.integers(1, 2)))]
    values = [(data.draw(metrics_of(run)), data.draw(marks_of(run))) for run in (*runs, *secrets)]
    values[-1][1].extend(mark._replace(name="secret") for mark in values[-1][1][:1])
    whole, small = database.units, MemoryUnitsOfWork()
    loop.run(_filled(whole, [seen, hidden], [*runs, *secrets], values))
    loop.run(_filled(small, [seen], runs, values[: len(runs)]))
    metrics_too = data.draw(st.booleans())
    scopes = None if metrics_too else frozenset({Action.EXPERIMENTS_VIEW})
    actor = Actor(user_id=UserId(new_id()), access=Access(projects={seen.id: Role.VIEWER}), scopes=scopes)
    for _ in range(6):
        asked = {
            "project_ids": data.draw(st.sampled_from([None, [seen.id], [hidden.id], [seen.id, hidden.id]])),
            "filter": data.draw(st.just("") | texts),
            "order_by": data.draw(st.sampled_from(ORDERS)),
            "limit": data.draw(st.sampled_from([1, 100])),
        }
        answers = [loop.run(_answer(units, actor, asked)) for units in (whole, small)]
        assert answers[0] == answers[1]
    assert loop.run(_fields(whole, actor, seen)) == loop.run(_fields(small, actor, seen))


def _made_secret(run: Experiment) -> Experiment:
    return run.evolve(
        name=HIDDEN,
        params={"secret": 1, **run.params},
        features={"secret": "x"},
        tags=("secret",),
    )


async def _filled(units: UnitsOfWork, projects: list[Project], runs: list[Experiment], values: Any) -> None:
    async with units.writing() as unit:
        for project in projects:
            await unit.projects.add(project)
        for run in runs:
            await unit.experiments.add(run)
        for finals, marks in values:
            await unit.metrics.put(finals)
            await unit.summaries.keep_series(marks)
        await unit.commit()


async def _answer(units: UnitsOfWork, actor: Actor, asked: dict[str, Any]) -> str:
    """Everything that the caller is told, page after page, as one text."""
    service = SearchService(units, SettableClock(), UuidV7Generator())
    told: list[object] = []
    cursor: str | None = None
    while True:
        try:
            page = await service.search(actor, **asked, cursor=cursor)
        except TrackerError as error:
            return repr((told, type(error), error.detail))
        told.append([(run.id, sorted(run.metrics), sorted(run.params)) for run in page])
        told.append(page.next_cursor)
        if page.next_cursor is None:
            return repr(told)
        cursor = page.next_cursor


async def _fields(units: UnitsOfWork, actor: Actor, project: Project) -> str:
    service = SearchService(units, SettableClock(), UuidV7Generator())
    return repr(await service.fields(actor, project.id)).replace("=-0.0", "=0.0")
