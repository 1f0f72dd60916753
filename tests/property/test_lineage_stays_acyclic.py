"""Whatever clients do to a lineage, in whatever order and however many at once, no cycle comes up."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.doubles import SettableClock
from tests.side_by_side import close_shared_database, emptied, shared_database
from tests.tries import tries
from tracker.adapters.memory import MemoryUnitsOfWork
from tracker.adapters.system.ids import UuidV7Generator
from tracker.domain.errors import Invalid, LineageCycle, NotFound
from tracker.domain.experiments.graph import Graph
from tracker.domain.experiments.lineage import is_acyclic
from tracker.domain.experiments.service import ExperimentService
from tracker.domain.identity.actor import LOCAL_USER, Actor
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.projects.service import ProjectService
from tracker.ports.unit_of_work import UnitsOfWork

ACTOR = Actor(user_id=LOCAL_USER, is_superuser=True)


async def _nothing(*_: object) -> None: ...


class Clients(RuleBasedStateMachine):
    """Several clients of one project at a time; refusals are part of the game."""

    async def opened(self) -> UnitsOfWork:
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        self.loop = shared_database()[0]
        self.refused = 0
        self.loop.run(self._begin())

    async def _begin(self) -> None:
        units, clock, ids = await self.opened(), SettableClock(), UuidV7Generator()
        self.experiments = ExperimentService(units, clock, ids, _nothing, _nothing)
        projects = ProjectService(units, clock, ids, _nothing)
        self.project: ProjectId = (await projects.create(ACTOR, name="digits")).id
        self.keys: list[ExperimentId] = []
        for name in "abcd":
            self.keys.append((await self.experiments.create(ACTOR, self.project, name=name)).id)

    def together(self, calls: list[Coroutine[Any, Any, Any]]) -> None:
        for answer in self.loop.run(self._together(calls)):
            if isinstance(answer, Exception):
                assert isinstance(answer, LineageCycle | Invalid | NotFound), repr(answer)
                self.refused += 1
            elif answer is not None:
                self.keys = list(dict.fromkeys([*self.keys, answer.id]))

    async def _together(self, calls: list[Coroutine[Any, Any, Any]]) -> list[Any]:
        return await asyncio.gather(*calls, return_exceptions=True)

    @rule(data=st.data())
    def several_change_parents_at_once(self, data: st.DataObject) -> None:
        some = st.sampled_from(self.keys)
        merged = st.lists(some, max_size=2, unique=True).map(tuple)
        changes = st.fixed_dictionaries(
            {}, optional={"parent_id": st.none() | some, "merged_from": merged}
        ).filter(bool)
        edits = data.draw(st.lists(st.tuples(some, changes), min_size=1, max_size=4))
        self.together([self.experiments.edit(ACTOR, key, **change) for key, change in edits])

    @precondition(lambda self: len(self.keys) < 8)
    @rule(data=st.data())
    def one_is_created_while_another_moves(self, data: st.DataObject) -> None:
        some = st.sampled_from(self.keys)
        parents = data.draw(st.lists(some, min_size=1, max_size=3, unique=True))
        child, parent = data.draw(some), data.draw(some)
        self.together([
            self.experiments.create(
                ACTOR, self.project, name="new", parent_id=parents[0], merged_from=tuple(parents[1:])
            ),
            self.experiments.edit(ACTOR, child, parent_id=parent),
        ])  # fmt: skip

    @precondition(lambda self: len(self.keys) > 3)
    @rule(data=st.data())
    def one_is_deleted_while_another_joins_it(self, data: st.DataObject) -> None:
        some = st.sampled_from(self.keys)
        gone, child, joins_first = data.draw(some), data.draw(some), data.draw(st.booleans())
        joins = self.experiments.edit(ACTOR, child, merged_from=(gone,))
        deletes = self.experiments.delete(ACTOR, gone)
        self.together([joins, deletes] if joins_first else [deletes, joins])
        self.keys.remove(gone)

    @invariant()
    def there_is_no_cycle_and_no_loose_end(self) -> None:
        if not hasattr(self, "experiments"):
            return
        graph: Graph = self.loop.run(self.experiments.graph(ACTOR, self.project))
        assert is_acyclic(graph.parents)
        for key, parents in graph.parents.items():
            assert len(set(parents)) == len(parents)
            assert key not in parents
            assert set(parents) <= graph.parents.keys()
        assert set(graph.parents) == set(self.keys)


class ClientsOfMemory(Clients):
    async def opened(self) -> UnitsOfWork:
        return MemoryUnitsOfWork()


class ClientsOfSql(Clients):
    async def opened(self) -> UnitsOfWork:
        await emptied(shared_database()[1].units)
        return shared_database()[1].units


@pytest.fixture(scope="module", autouse=True)
def closed_at_the_end() -> Iterator[None]:
    yield
    close_shared_database()


ClientsOfMemory.TestCase.settings = settings(max_examples=tries(8), stateful_step_count=20, deadline=None)
ClientsOfSql.TestCase.settings = settings(max_examples=tries(8), stateful_step_count=15, deadline=None)
TestLineageInMemoryStaysAcyclic = ClientsOfMemory.TestCase
TestLineageInSqlStaysAcyclic = ClientsOfSql.TestCase
