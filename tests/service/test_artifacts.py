"""Use cases of blobs, artifacts and snapshots over every kind of units and a real folder."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import SettableClock
from tests.factories import a_file, a_project, a_user, an_experiment
from tracker.adapters.blobs.local import LocalBlobStore
from tracker.adapters.system.ids import UuidV7Generator
from tracker.domain.artifacts.blobs.service import BlobService
from tracker.domain.artifacts.digest import digest_of
from tracker.domain.artifacts.service import ArtifactService
from tracker.domain.artifacts.snapshots.service import SnapshotService
from tracker.domain.comparison.service import ComparisonService
from tracker.domain.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.service import ExperimentService
from tracker.domain.identity.actions import Action
from tracker.domain.identity.actor import LOCAL_USER, Actor
from tracker.domain.projects.service import ProjectService
from tracker.domain.search.service import SearchService
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork, WritingUnit

A, B = b"print('a')", b"print('b')"
ADA = Actor(user_id=LOCAL_USER)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def nothing(*_: object) -> None: ...


async def sent(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@dataclass
class Shop:
    """An installation whose uses of blobs are looked at."""

    units: UnitsOfWork
    store: LocalBlobStore
    folder: Path
    clock: SettableClock = field(default_factory=SettableClock)
    ids: UuidV7Generator = field(default_factory=UuidV7Generator)

    def __post_init__(self) -> None:
        self.blobs = BlobService(self.units, self.store, self.clock)
        self.artifacts = ArtifactService(self.units, self.store, self.clock, self.ids)
        self.snapshots = SnapshotService(self.units, self.store, self.clock, self.ids)
        self.experiments = ExperimentService(self.units, self.clock, self.ids, nothing, nothing)
        self.projects = ProjectService(self.units, self.clock, self.ids, nothing)

    async def run(self, owner: Actor = ADA, **fields: Any) -> Experiment:
        """A new experiment in a new project of somebody."""
        project = a_project(owner_id=owner.user_id)
        run = an_experiment(project, **fields)
        async with self.units.writing() as unit:
            await unit.projects.add(project)
            await unit.experiments.add(run)
            await unit.commit()
        return run

    async def user(self) -> Actor:
        """Somebody new."""
        user = a_user()
        async with self.units.writing() as unit:
            await unit.users.add(user)
            await unit.commit()
        return Actor(user_id=user.id)

    async def upload(self, content: bytes, actor: Actor = ADA) -> str:
        digest = digest_of(content)
        assert await self.blobs.upload(actor, digest, sent(content)) == len(content)
        return digest

    async def put(self, run: Experiment, content: bytes, name: str = "a", actor: Actor = ADA) -> None:
        await self.artifacts.put(actor, run.id, name, digest=digest_of(content), size=len(content))

    async def kept(self) -> set[bytes]:
        """Which of the two there are."""
        here = await self.store.has([digest_of(A), digest_of(B)])
        return {content for content in (A, B) if digest_of(content) in here}

    def later(self, by: timedelta) -> None:
        self.clock.advance(seconds=by.total_seconds())


@pytest.fixture
def shop(units: UnitsOfWork, tmp_path: Path) -> Shop:
    return Shop(units, LocalBlobStore(tmp_path / "blobs"), tmp_path / "blobs")


async def test_what_nobody_refers_to_is_deleted_after_a_day_and_not_before(shop: Shop) -> None:
    run = await shop.run()
    await shop.upload(A)
    await shop.upload(B)
    await shop.put(run, B)
    shop.later(DAY - HOUR)
    assert await shop.blobs.sweep() == 0
    assert await shop.kept() == {A, B}
    shop.later(2 * HOUR)
    assert await shop.blobs.sweep() == 1
    assert await shop.kept() == {B}
    shop.later(30 * DAY)
    assert await shop.blobs.sweep() == 0
    assert await shop.kept() == {B}


@pytest.mark.parametrize("deleted", ["experiment", "project"])
@pytest.mark.parametrize("by", ["artifact", "snapshot"])
async def test_blobs_follow_what_was_deleted_a_day_later_unless_others_use_them(
    shop: Shop, deleted: str, by: str
) -> None:
    run, other = await shop.run(), await shop.run()
    for content in (A, B):
        await shop.upload(content)
    if by == "artifact":
        await shop.put(run, A, "a")
        await shop.put(run, B, "b")
    else:
        await shop.snapshots.take(ADA, run.id, [a_file("a", A), a_file("b", B)])
    await shop.snapshots.take(ADA, other.id, [a_file("shared", B)])
    shop.later(3 * DAY)
    assert await shop.blobs.sweep() == 0
    if deleted == "experiment":
        await shop.experiments.delete(ADA, run.id)
    else:
        await shop.projects.delete(ADA, run.project_id)
    assert await shop.blobs.sweep() == 0
    assert await shop.kept() == {A, B}
    shop.later(DAY + HOUR)
    assert await shop.blobs.sweep() == 1
    assert await shop.kept() == {B}
    (snapshot,) = await shop.snapshots.of_experiment(ADA, other.id)
    assert [file.path for file in snapshot.files] == ["shared"]


async def test_what_an_artifact_was_before_is_deleted_a_day_after_it_was_replaced(shop: Shop) -> None:
    run = await shop.run()
    for content in (A, B):
        await shop.upload(content)
    await shop.put(run, A)
    shop.later(3 * DAY)
    await shop.blobs.sweep()
    await shop.upload(B)
    await shop.put(run, B)
    assert await shop.blobs.sweep() == 0
    shop.later(DAY + HOUR)
    assert await shop.blobs.sweep() == 1
    assert await shop.kept() == {B}


class Crash(Exception):
    """The process is gone."""


class LastBreath(LocalBlobStore):
    """Has the bytes on the disk, and then nothing more happens."""

    async def put(self, digest: str, chunks: AsyncIterator[bytes]) -> int:
        await super().put(digest, chunks)
        raise Crash

    async def put_many(self, contents: Mapping[str, bytes]) -> None:
        await super().put_many(contents)
        raise Crash


async def upload_and_die(shop: Shop, content: bytes, *, in_bulk: bool = False) -> None:
    dying = BlobService(shop.units, LastBreath(shop.folder), shop.clock)
    with pytest.raises(Crash):
        if in_bulk:
            await dying.upload_many(ADA, {digest_of(content): content})
        else:
            await dying.upload(ADA, digest_of(content), sent(content))


@pytest.mark.parametrize("in_bulk", [False, True])
async def test_after_a_crash_between_the_bytes_and_their_row_they_are_missing_and_soon_gone(
    shop: Shop, in_bulk: bool
) -> None:
    run = await shop.run()
    await upload_and_die(shop, A, in_bulk=in_bulk)
    assert await shop.kept() == {A}
    assert await shop.blobs.missing(ADA, [digest_of(A)]) == (digest_of(A),)
    with pytest.raises(Conflict, match="not uploaded"):
        await shop.put(run, A)
    shop.later(DAY + HOUR)
    assert await shop.blobs.sweep() == 1
    assert await shop.kept() == set()


async def test_an_upload_after_such_a_crash_is_as_good_as_any(shop: Shop) -> None:
    run = await shop.run()
    await upload_and_die(shop, A)
    shop.later(DAY - HOUR)
    await shop.upload(A)
    await shop.put(run, A)
    shop.later(DAY)
    await shop.blobs.sweep()
    assert await shop.kept() == {A}


class Counted:
    """Counts the transactions that write."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units
        self.writes = 0

    def reading(self) -> AbstractAsyncContextManager[ReadingUnit]:
        return self._units.reading()

    def writing(self) -> AbstractAsyncContextManager[WritingUnit]:
        self.writes += 1
        return self._units.writing()


@pytest.mark.parametrize("count", [0, 1, 700])
async def test_many_blobs_take_two_transactions_however_many_they_are(shop: Shop, count: int) -> None:
    units = Counted(shop.units)
    contents = {digest_of(each): each for each in (str(number).encode() for number in range(count))}
    blobs = BlobService(units, shop.store, shop.clock)
    assert await blobs.upload_many(ADA, contents) == sum(map(len, contents.values()))
    assert units.writes == (2 if count else 0)
    assert await blobs.missing(ADA, list(contents)) == ()
    assert await shop.store.has(contents) == contents.keys()


async def test_of_many_blobs_none_is_known_when_one_has_other_bytes_or_is_no_digest(shop: Shop) -> None:
    good, absent = digest_of(A), digest_of(b"absent")
    with pytest.raises(Conflict, match="hash to"):
        await shop.blobs.upload_many(ADA, {good: A, absent: B})
    with pytest.raises(Invalid, match="hash"):
        await shop.blobs.upload_many(ADA, {good: A, "abc": B})
    assert await shop.blobs.missing(ADA, [good, absent]) == (good, absent)
    assert await shop.kept() == set()
    await shop.blobs.upload_many(ADA, {good: A})
    shop.later(DAY + HOUR)
    assert await shop.blobs.sweep() == 2
    assert await shop.kept() == set()


async def test_who_may_not_see_a_blob_learns_nothing_of_it_and_cannot_name_it(shop: Shop) -> None:
    run = await shop.run()
    await shop.upload(A)
    await shop.put(run, A)
    eve = await shop.user()
    own = await shop.run(eve)
    digest = digest_of(A)
    absent = digest_of(b"absent")
    assert await shop.blobs.missing(eve, [digest, absent]) == (digest, absent)
    for unknown in (A, b"absent"):
        with pytest.raises(Conflict, match="not uploaded"):
            await shop.put(own, unknown, actor=eve)
        with pytest.raises(NotFound):
            await shop.blobs.open(eve, digest_of(unknown))
    with pytest.raises(Conflict, match="hash to"):
        await shop.blobs.upload(eve, digest, sent(b"a guess"))
    with pytest.raises(NotFound, match="experiment"):
        await shop.put(run, A, actor=eve)
    await shop.upload(A, eve)  # who has the bytes may have them
    await shop.put(own, A, actor=eve)
    assert await shop.blobs.missing(eve, [digest]) == ()
    assert await shop.kept() == {A}


async def test_who_sees_what_refers_to_a_blob_need_not_upload_it(shop: Shop) -> None:
    root = Actor(user_id=(await shop.user()).user_id, is_superuser=True)
    run, own = await shop.run(), await shop.run()
    await shop.upload(A)
    await shop.put(run, A)
    shop.later(3 * DAY)
    await shop.blobs.sweep()
    for actor in (ADA, root):
        assert await shop.blobs.missing(actor, [digest_of(A)]) == ()
        blob = await shop.blobs.open(actor, digest_of(A))
        assert b"".join([piece async for piece in blob.read()]) == A
    await shop.put(own, A)


async def test_having_uploaded_it_counts_for_a_day(shop: Shop) -> None:
    run = await shop.run()
    await shop.upload(A)
    shop.later(DAY + HOUR)
    assert await shop.blobs.missing(ADA, [digest_of(A)]) == (digest_of(A),)
    with pytest.raises(Conflict, match="not uploaded"):
        await shop.put(run, A)


async def test_what_a_check_says_is_there_stays_for_a_day(shop: Shop) -> None:
    run = await shop.run()
    await shop.upload(A)
    await shop.put(run, A)
    await shop.experiments.delete(ADA, run.id)
    shop.later(DAY - HOUR)
    again = await shop.run()
    assert await shop.blobs.missing(ADA, [digest_of(A)]) == ()
    shop.later(HOUR - timedelta(minutes=1))
    await shop.put(again, A)
    shop.later(2 * HOUR)
    assert await shop.blobs.sweep() == 0
    assert await shop.kept() == {A}


async def test_a_token_needs_the_scopes(shop: Shop) -> None:
    logger = ADA.evolve(scopes=frozenset({Action.ARTIFACTS_LOG}))
    viewer = ADA.evolve(scopes=frozenset({Action.ARTIFACTS_VIEW}))
    digest = await shop.upload(A, logger)
    for refused in (
        shop.blobs.missing(viewer, [digest]),
        shop.blobs.upload(viewer, digest, sent(A)),
        shop.blobs.upload_many(viewer, {digest: A}),
        shop.blobs.open(logger, digest),
    ):
        with pytest.raises(Forbidden):
            await refused


async def test_bytes_that_the_store_lost_are_missing_and_may_come_again(shop: Shop) -> None:
    run = await shop.run()
    digest = await shop.upload(A)
    await shop.put(run, A)
    snapshot = await shop.snapshots.take(ADA, run.id, [a_file("a", A)])
    (artifact,) = await shop.artifacts.of_experiment(ADA, run.id)
    await shop.store.delete([digest])
    for lost in (
        shop.artifacts.open(ADA, artifact.id),
        shop.snapshots.open(ADA, snapshot.id),
        shop.blobs.open(ADA, digest),
    ):
        with pytest.raises(Unavailable, match="not in the store"):
            await lost
    assert await shop.blobs.missing(ADA, [digest]) == (digest,)
    await shop.upload(A)
    assert (await shop.artifacts.open(ADA, artifact.id))[1].size == len(A)


async def test_the_newest_visible_experiment_of_a_name_is_meant(shop: Shop) -> None:
    eve = await shop.user()
    old = await shop.run(name="same")
    new = await shop.run(name="same", created_at=old.created_at + HOUR)
    await shop.run(eve, name="same", created_at=old.created_at + 2 * HOUR)
    assert (await shop.snapshots.newest_named(ADA, "same")).id == new.id
    with pytest.raises(NotFound, match="experiment other"):
        await shop.snapshots.newest_named(ADA, "other")


async def test_sweeps_beside_uploads_lose_nothing_that_is_named(shop: Shop) -> None:
    run = await shop.run()
    contents = [str(n).encode() for n in range(12)]
    for content in contents:
        await shop.upload(content)
    shop.later(DAY + HOUR)

    async def again(content: bytes) -> None:
        await shop.upload(content)
        await shop.put(run, content, name=content.decode())

    await asyncio.gather(*(again(content) for content in contents), *(shop.blobs.sweep() for _ in range(3)))
    digests = [digest_of(content) for content in contents]
    assert await shop.store.has(digests) == frozenset(digests)


async def test_a_comparison_shows_no_snapshot_to_whom_may_see_none(shop: Shop) -> None:
    run = await shop.run()
    await shop.snapshots.take(ADA, run.id, [])
    comparisons = ComparisonService(shop.units, shop.clock, SearchService(shop.units, shop.clock, shop.ids))
    blind = ADA.evolve(scopes=frozenset(Action) - {Action.ARTIFACTS_VIEW})
    for actor, known in ((ADA, True), (blind, False)):
        found = await comparisons.compare(actor, [run.id])
        assert [state.is_known for state in found.trees] == [known]


def test_files_are_for_this_user_only(tmp_path: Path) -> None:
    store = LocalBlobStore(tmp_path / "data" / "blobs")
    asyncio.run(store.put(digest_of(A), sent(A)))
    asyncio.run(store.put_many({digest_of(B): B}))
    for name in (digest_of(A), digest_of(B)):
        file = tmp_path / "data" / "blobs" / name[:2] / name[2:4] / name
        assert file.stat().st_mode & 0o777 == 0o600
        assert {path.stat().st_mode & 0o777 for path in (file.parent, file.parent.parent)} == {0o700}
    assert list((tmp_path / "data" / "blobs" / "incoming").iterdir()) == []


def test_many_files_and_all_their_folders_are_on_the_disk_when_they_are_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, synced, sync = tmp_path / "blobs", [], os.fsync

    def noted(number: int) -> None:
        path = Path(f"/proc/self/fd/{number}").readlink()
        synced.append((path, frozenset(file.name for file in folder.glob("*/*/*") if path.is_dir())))
        sync(number)

    monkeypatch.setattr(os, "fsync", noted)
    contents = {digest_of(each): each for each in (str(number).encode() for number in range(20))}
    asyncio.run(LocalBlobStore(folder).put_many(contents))
    files = [path.name[-64:] for path, _ in synced if path.parent == folder / "incoming"]
    assert sorted(files) == sorted(contents)
    # A folder counts once it has been synced with all in it that it was given.
    known = dict(synced)
    for digest in contents:
        deepest = folder / digest[:2] / digest[2:4]
        for each in (deepest, deepest.parent, folder):
            assert digest in known[each]


def test_many_that_do_not_all_fit_leave_nothing_beside(tmp_path: Path) -> None:
    folder = tmp_path / "blobs"
    store = LocalBlobStore(folder)
    contents = {digest_of(each): each for each in (str(number).encode() for number in range(20))}
    in_the_way = folder / list(contents)[10][:2]
    folder.mkdir()
    in_the_way.write_text("a file where a folder should be")
    with pytest.raises(Unavailable, match="do not answer"):
        asyncio.run(store.put_many(contents))
    assert list((folder / "incoming").iterdir()) == []
    in_the_way.unlink()
    asyncio.run(store.put_many(contents))
    assert asyncio.run(store.has(contents)) == contents.keys()


def test_what_a_killed_process_left_half_taken_is_removed_after_a_day(tmp_path: Path) -> None:
    incoming = tmp_path / "blobs" / "incoming"
    incoming.mkdir(parents=True)
    old, young = incoming / "old", incoming / "young"
    for file, hours in ((old, 25), (young, 1)):
        file.write_bytes(b"half of")
        then = file.stat().st_mtime - hours * 3600
        os.utime(file, (then, then))
    asyncio.run(LocalBlobStore(tmp_path / "blobs").put(digest_of(A), sent(A)))
    assert list(incoming.iterdir()) == [young]
