"""Blobs over memory and over SQL do the same; what is referred to is there, and what is not goes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.doubles import SettableClock
from tests.factories import a_file, a_project, an_experiment
from tests.side_by_side import close_shared_database, emptied, shared_database
from tests.tries import tries
from tracker.adapters.memory import MemoryUnitsOfWork
from tracker.adapters.memory.blobs import MemoryBlobStore
from tracker.adapters.system.ids import UuidV7Generator
from tracker.domain.artifacts.blobs.service import BlobService
from tracker.domain.artifacts.digest import digest_of
from tracker.domain.artifacts.service import ArtifactService
from tracker.domain.artifacts.snapshots.service import SnapshotService
from tracker.domain.errors import Conflict, TrackerError
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.service import ExperimentService
from tracker.domain.identity.accounts.user import User
from tracker.domain.identity.actor import LOCAL_USER, Actor
from tracker.domain.ids import ExperimentId, UserId
from tracker.domain.projects.service import ProjectService
from tracker.ports.unit_of_work import UnitsOfWork

CONTENTS = [b"a", b"bb", b""]
RUNS = 3
DIGESTS = [digest_of(content) for content in CONTENTS]
contents = st.sampled_from(CONTENTS)
people = st.integers(0, 1)
runs = st.integers(0, RUNS - 1)
mostly = st.sampled_from([True, True, True, False])
whose = st.sampled_from([0, 0, 0, 1])  # 1: the other one's


async def nothing(*_: object) -> None: ...


async def sent(content: bytes) -> AsyncIterator[bytes]:
    yield content


class Shop:
    """The services over one kind of units."""

    def __init__(self, units: UnitsOfWork, clock: SettableClock) -> None:
        self.units, self.store, ids = units, MemoryBlobStore(), UuidV7Generator()
        self.blobs = BlobService(units, self.store, clock)
        self.artifacts = ArtifactService(units, self.store, clock, ids)
        self.snapshots = SnapshotService(units, self.store, clock, ids)
        self.experiments = ExperimentService(units, clock, ids, nothing, nothing)
        self.projects = ProjectService(units, clock, ids, nothing)

    async def furnish(self, users: list[User], found: list[Experiment], projects: list[Any]) -> None:
        await emptied(self.units)
        async with self.units.writing() as unit:
            await unit.blobs.forget(DIGESTS)
            for user in users:
                await unit.users.add(user)
            for project in projects:
                await unit.projects.add(project)
            await unit.experiments.add_many(found)
            await unit.commit()

    async def referred(self) -> frozenset[str]:
        async with self.units.reading() as unit:
            return await unit.blobs.referred(DIGESTS, None)


class BlobMachine(RuleBasedStateMachine):
    """Two people with a project each, in which there are some experiments."""

    @initialize()
    def begin(self) -> None:
        self.loop, database = shared_database()
        self.clock = SettableClock()
        other = User(
            id=UserId(UuidV7Generator().new()), email="eve@example.org", display_name="Eve",
            created_at=self.clock.now(),
        )  # fmt: skip
        self.actors = [Actor(user_id=LOCAL_USER), Actor(user_id=other.id)]
        projects = [a_project(owner_id=actor.user_id) for actor in self.actors]
        self.runs = [an_experiment(project, position=n) for project in projects for n in range(RUNS)]
        self.shops = [Shop(units, self.clock) for units in (MemoryUnitsOfWork(), database.units)]
        for shop in self.shops:
            self.loop.run(shop.furnish([other], self.runs, projects))

    def both(self, step: Callable[[Shop], Awaitable[Any]]) -> Any:
        answers = [self.loop.run(tried(step, shop)) for shop in self.shops]
        assert answers[0] == answers[1]
        return answers[0]

    @rule(who=people, content=contents)
    def upload(self, who: int, content: bytes) -> None:
        self.both(lambda shop: shop.blobs.upload(self.actors[who], digest_of(content), sent(content)))

    @rule(who=people, sent=st.lists(contents, unique=True), wrong=st.sampled_from([None, None, None, b"x"]))
    def upload_many(self, who: int, sent: list[bytes], wrong: bytes | None) -> None:
        blobs = {digest_of(content): content for content in sent}
        if wrong is not None:
            blobs[digest_of(b"a")] = wrong
        answer = self.both(lambda shop: shop.blobs.upload_many(self.actors[who], blobs))
        assert answer == (sum(map(len, sent)) if wrong is None else Conflict)

    @rule(who=people)
    def check(self, who: int) -> None:
        self.both(lambda shop: shop.blobs.missing(self.actors[who], DIGESTS))

    @rule(who=people, whose=whose, run=runs, content=contents, is_named=st.booleans(), uploads=mostly)
    def put(self, who: int, whose: int, run: int, content: bytes, is_named: bool, uploads: bool) -> None:
        if uploads:
            self.upload(who, content)
        name, step = ("x", None) if is_named else ("y", 0)

        async def put(shop: Shop) -> Any:
            kept = await shop.artifacts.put(
                self.actors[who], self.run(who ^ whose, run), name,
                digest=digest_of(content), size=len(content), step=step,
            )  # fmt: skip
            return kept.name, kept.step, kept.digest

        self.both(put)

    @rule(who=people, whose=whose, run=runs, files=st.lists(contents, max_size=2), uploads=mostly)
    def take(self, who: int, whose: int, run: int, files: list[bytes], uploads: bool) -> None:
        for content in files if uploads else ():
            self.upload(who, content)
        tree = [a_file(f"f{number}", content) for number, content in enumerate(files)]

        async def take(shop: Shop) -> Any:
            return (await shop.snapshots.take(self.actors[who], self.run(who ^ whose, run), tree)).files

        self.both(take)

    @rule(who=people, whose=whose, run=runs, is_reviewed=mostly)
    def delete(self, who: int, whose: int, run: int, is_reviewed: bool) -> None:
        if is_reviewed:  # then it is the deletion alone that has its blobs looked at again
            self.let_days_pass()
        self.both(lambda shop: shop.experiments.delete(self.actors[who], self.run(who ^ whose, run)))

    def run(self, whose: int, number: int) -> ExperimentId:
        return self.runs[whose * RUNS + number].id

    @rule(hours=st.sampled_from([1, 11, 13, 24, 25]))
    def wait(self, hours: int) -> None:
        self.clock.advance(hours=hours)

    @rule()
    def sweep(self) -> None:
        self.both(lambda shop: shop.blobs.sweep())

    @rule()
    def let_days_pass(self) -> None:
        for _ in range(2):  # the second one finds what the first one was late for
            self.clock.advance(seconds=timedelta(days=1, seconds=1).total_seconds())
            self.both(lambda shop: shop.blobs.sweep())

        async def stays(shop: Shop) -> Any:
            return await shop.store.has(DIGESTS) == await shop.referred()

        assert self.both(stays)

    @invariant()
    def what_is_referred_to_is_there(self) -> None:
        async def lost(shop: Shop) -> Any:
            return await shop.referred() - await shop.store.has(DIGESTS)

        if hasattr(self, "shops"):
            assert self.both(lost) == frozenset()


async def tried(step: Callable[[Shop], Awaitable[Any]], shop: Shop) -> Any:
    try:
        return await step(shop)
    except TrackerError as error:
        return type(error)


@pytest.fixture(autouse=True, scope="module")
def _database() -> Iterator[None]:
    yield
    close_shared_database()


TestBlobsAgree = BlobMachine.TestCase
TestBlobsAgree.settings = settings(max_examples=tries(12), stateful_step_count=20, deadline=None)
