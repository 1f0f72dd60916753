from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import pytest

from tests.factories import NOON, a_file, a_project, a_snapshot, a_user, an_artifact, an_experiment, new_id
from tracker.domain.artifacts.digest import digest_of
from tracker.domain.errors import AlreadyExists, NotFound
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.identity.actor import LOCAL_USER
from tracker.domain.ids import ArtifactId, SnapshotId
from tracker.domain.projects.project import Project
from tracker.ports.unit_of_work import UnitsOfWork

HOUR = timedelta(hours=1)
A, B, C = (digest_of(content) for content in (b"a", b"b", b"c"))


class Here(NamedTuple):
    project: Project
    run: Experiment
    other: Experiment


@pytest.fixture
async def here(units: UnitsOfWork) -> Here:
    project = a_project()
    run, other = an_experiment(project), an_experiment(project, name="2_from_1_x")
    async with units.writing() as unit:
        await unit.projects.add(project)
        await unit.experiments.add_many([run, other])
        await unit.commit()
    return Here(project, run, other)


class TestArtifactRepository:
    """What every adapter of the artifacts port keeps."""

    async def test_an_artifact_comes_back_as_it_was(self, units: UnitsOfWork, here: Here) -> None:
        full = an_artifact(
            here.run, name="слой/重み 🎯%_'\".bin", kind="image", media_type="image/png", step=-(2**63),
            metadata={"caption": "x", "deep": [1, 2.5, None, {"a": True}]},
        )  # fmt: skip
        plain = an_artifact(here.run, b"", created_by=None)
        async with units.writing() as unit:
            assert await unit.artifacts.put(full) == full
            assert await unit.artifacts.put(plain) == plain
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.artifacts.get(full.id) == full
            assert await unit.artifacts.get(plain.id) == plain
            assert await unit.artifacts.find(here.run.id, full.name, full.step) == full
            assert await unit.artifacts.find(here.run.id, full.name, None) is None
            with pytest.raises(NotFound):
                await unit.artifacts.get(ArtifactId(new_id()))

    async def test_the_same_key_again_replaces_all_but_the_id(self, units: UnitsOfWork, here: Here) -> None:
        first = an_artifact(here.run, step=0)
        without_step = an_artifact(here.run)
        later = an_artifact(
            here.run, b"later", step=0, kind="text", media_type="text/plain", metadata={"a": 1},
            created_at=NOON + HOUR, created_by=None,
        )  # fmt: skip
        async with units.writing() as unit:
            for each in (first, without_step):
                await unit.artifacts.put(each)
            assert await unit.artifacts.put(later) == later.evolve(id=first.id)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.artifacts.of_experiment(here.run.id) == (
                without_step,
                later.evolve(id=first.id),
            )

    async def test_a_list_is_by_name_and_step_and_can_be_narrowed(
        self, units: UnitsOfWork, here: Here
    ) -> None:
        keys = [("b", 2, "x"), ("b", -1, "y"), ("b", None, "x"), ("B", 2**63 - 1, "x"), ("a/b", 0, "y")]
        async with units.writing() as unit:
            for name, step, kind in keys:
                await unit.artifacts.put(an_artifact(here.run, name=name, step=step, kind=kind))
            await unit.artifacts.put(an_artifact(here.other))
            await unit.commit()
        async with units.reading() as unit:
            found = [(a.name, a.step, a.kind) for a in await unit.artifacts.of_experiment(here.run.id)]
            named = await unit.artifacts.of_experiment(here.run.id, name="b", kind="x")
        assert found == [keys[3], keys[4], keys[2], keys[1], keys[0]]
        assert [(a.name, a.step) for a in named] == [("b", None), ("b", 2)]

    async def test_an_artifact_needs_its_experiment_and_goes_with_it(
        self, units: UnitsOfWork, here: Here
    ) -> None:
        async with units.writing() as unit:
            with pytest.raises(NotFound):
                await unit.artifacts.put(an_artifact(an_experiment(here.project)))
        kept = an_artifact(here.run)
        async with units.writing() as unit:
            await unit.artifacts.put(kept)
            await unit.experiments.delete(here.run.id)
            await unit.commit()
        async with units.reading() as unit:
            with pytest.raises(NotFound):
                await unit.artifacts.get(kept.id)

    async def test_who_put_it_is_forgotten_with_their_account(self, units: UnitsOfWork, here: Here) -> None:
        user = a_user()
        artifact = an_artifact(here.run, created_by=user.id)
        snapshot = a_snapshot(here.run, created_by=user.id)
        async with units.writing() as unit:
            await unit.users.add(user)
            await unit.artifacts.put(artifact)
            await unit.snapshots.add(snapshot)
            await unit.users.delete(user.id)
            await unit.commit()
        async with units.reading() as unit:
            assert (await unit.artifacts.get(artifact.id)).created_by is None
            assert (await unit.snapshots.get(snapshot.id)).created_by is None


class TestSnapshotRepository:
    """What every adapter of the snapshots port keeps."""

    async def test_a_snapshot_comes_back_as_it_was(self, units: UnitsOfWork, here: Here) -> None:
        files = (
            a_file("src/train.py", b"print()", mode=0o755),
            a_file("src/データ.txt", b""),
            a_file("latest", b"src/train.py", link=True),
        )
        full = a_snapshot(here.run, *files, environment={"packages": {"numpy": "2.0"}, "seeds": [1]})
        empty = a_snapshot(here.run, created_by=None, created_at=NOON - HOUR)
        async with units.writing() as unit:
            for each in (full, empty):
                await unit.snapshots.add(each)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.snapshots.get(full.id) == full
            found = await unit.snapshots.of_experiments([here.run.id, here.other.id])
            with pytest.raises(NotFound):
                await unit.snapshots.get(SnapshotId(new_id()))
        assert {key: list(several) for key, several in found.items()} == {here.run.id: [empty, full]}

    async def test_an_id_is_taken_once_and_an_experiment_must_be_there(
        self, units: UnitsOfWork, here: Here
    ) -> None:
        snapshot = a_snapshot(here.run, a_file("a"))
        async with units.writing() as unit:
            await unit.snapshots.add(snapshot)
            await unit.commit()
        for error, refused in (
            (AlreadyExists, snapshot),
            (NotFound, a_snapshot(an_experiment(here.project), a_file("a"))),
        ):
            async with units.writing() as unit:
                with pytest.raises(error):
                    await unit.snapshots.add(refused)

    async def test_one_of_two_with_the_same_files_goes_without_the_other(
        self, units: UnitsOfWork, here: Here
    ) -> None:
        mine, theirs = (a_snapshot(run, a_file("a", b"a")) for run in (here.run, here.other))
        async with units.writing() as unit:
            for each in (mine, theirs):
                await unit.snapshots.add(each)
            await unit.experiments.delete(here.run.id)
            await unit.blobs.forget([])
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.snapshots.get(theirs.id) == theirs
            assert await unit.blobs.referred([A], None) == {A}
            with pytest.raises(NotFound):
                await unit.snapshots.get(mine.id)


class TestBlobRepository:
    """What every adapter of the port of what is known of blobs keeps."""

    async def test_a_blob_is_known_by_size_once_its_bytes_came(self, units: UnitsOfWork) -> None:
        async with units.writing() as unit:
            with pytest.raises(NotFound):
                await unit.blobs.note_uploads({A: 1}, LOCAL_USER, NOON)
            await unit.blobs.reserve([A], review_at=NOON + HOUR)
            await unit.blobs.reserve([B], review_at=NOON + HOUR)
            assert await unit.blobs.sizes([A, B]) == {}
            assert await unit.blobs.uploaded([A], LOCAL_USER, NOON - HOUR) == frozenset()
            await unit.blobs.note_uploads({A: 1}, LOCAL_USER, NOON)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.blobs.sizes([A, B, C]) == {A: 1}
            assert await unit.blobs.uploaded([A, B], LOCAL_USER, NOON) == {A}
            assert await unit.blobs.uploaded([A], LOCAL_USER, NOON + HOUR) == frozenset()
            assert await unit.blobs.uploaded([A], a_user().id, NOON) == frozenset()

    async def test_many_are_noted_together_or_not_at_all(self, units: UnitsOfWork) -> None:
        sizes = {f"{number:064x}": number for number in range(1_200)}
        async with units.writing() as unit:
            await unit.blobs.reserve(sizes, review_at=NOON)
            await unit.blobs.reserve([], review_at=NOON)
            await unit.commit()
        with pytest.raises(NotFound, match=C):
            async with units.writing() as unit:
                await unit.blobs.note_uploads({**sizes, C: 1}, LOCAL_USER, NOON)
                await unit.commit()
        async with units.writing() as unit:
            assert await unit.blobs.sizes(sizes) == {}
            await unit.blobs.note_uploads(sizes, LOCAL_USER, NOON)
            await unit.blobs.note_uploads({}, LOCAL_USER, NOON)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.blobs.sizes(sizes) == sizes
            assert await unit.blobs.uploaded(sizes, LOCAL_USER, NOON) == sizes.keys()

    async def test_uploads_are_forgotten_with_their_account(self, units: UnitsOfWork) -> None:
        user = a_user()
        async with units.writing() as unit:
            await unit.users.add(user)
            await unit.blobs.reserve([A], review_at=NOON)
            await unit.blobs.note_uploads({A: 1}, user.id, NOON)
            await unit.users.delete(user.id)
            assert await unit.blobs.uploaded([A], user.id, NOON) == frozenset()
            with pytest.raises(NotFound):
                await unit.blobs.note_uploads({A: 1}, user.id, NOON)

    async def test_artifacts_and_snapshots_refer_to_blobs_of_their_project(
        self, units: UnitsOfWork, here: Here
    ) -> None:
        elsewhere = a_project()
        far = an_experiment(elsewhere)
        async with units.writing() as unit:
            await unit.projects.add(elsewhere)
            await unit.experiments.add(far)
            await unit.artifacts.put(an_artifact(here.run, b"a"))
            await unit.snapshots.add(a_snapshot(far, a_file("x", b"a"), a_file("y", b"b")))
            await unit.commit()
        async with units.reading() as unit:
            assert set(await unit.blobs.referring([A, C])) == {here.project.scope, elsewhere.scope}
            assert await unit.blobs.referring([B]) == (elsewhere.scope,)
            assert await unit.blobs.referring([C]) == ()
            assert await unit.blobs.referred([A, B, C], None) == {A, B}
            assert await unit.blobs.referred([A, B, C], [here.project.id]) == {A}
            assert await unit.blobs.referred([A, B, C], [elsewhere.id]) == {A, B}
            assert await unit.blobs.referred([A, B, C], []) == frozenset()

    async def test_reviews_wait_are_ended_and_begin_again(self, units: UnitsOfWork, here: Here) -> None:
        async with units.writing() as unit:
            await unit.blobs.reserve([A], review_at=NOON)
            await unit.blobs.reserve([B], review_at=NOON - HOUR)
            assert await unit.blobs.due(NOON, 10) == (B, A)
            assert await unit.blobs.due(NOON, 1) == (B,)
            await unit.blobs.postpone([B, C], review_at=NOON + HOUR)
            await unit.blobs.reserve([A], review_at=NOON - HOUR)  # never sooner
            assert await unit.blobs.due(NOON, 10) == (A,)
            assert await unit.blobs.expiring([A, B, C], before=NOON + HOUR) == {A}
            await unit.blobs.note_uploads({A: 1}, LOCAL_USER, NOON)
            await unit.blobs.keep([A, B], at=NOON, uploaded_before=NOON)  # B is not due
            assert await unit.blobs.due(NOON + 2 * HOUR, 10) == (B,)
            assert await unit.blobs.uploaded([A], LOCAL_USER, NOON) == {A}
            await unit.blobs.reserve([A], review_at=NOON)  # somebody refers to it, so there is no hurry
            await unit.blobs.postpone([A], review_at=NOON)
            assert await unit.blobs.due(NOON, 10) == ()
            await unit.blobs.release_one(A, review_at=NOON)
            await unit.blobs.release_one(A, review_at=NOON - HOUR)
            assert await unit.blobs.due(NOON - HOUR, 10) == ()
            assert await unit.blobs.due(NOON, 10) == (A,)
            await unit.blobs.keep([A], at=NOON, uploaded_before=NOON + HOUR)
            assert await unit.blobs.uploaded([A], LOCAL_USER, NOON) == frozenset()

    @pytest.mark.parametrize("whole_project", [True, False])
    async def test_what_is_about_to_be_deleted_is_released(
        self, units: UnitsOfWork, here: Here, whole_project: bool
    ) -> None:
        async with units.writing() as unit:
            for digest in (A, B, C):
                await unit.blobs.reserve([digest], review_at=NOON)
            await unit.artifacts.put(an_artifact(here.run, b"a"))
            await unit.snapshots.add(a_snapshot(here.run, a_file("x", b"b")))
            await unit.artifacts.put(an_artifact(here.other, b"c"))
            await unit.blobs.keep([A, B, C], at=NOON, uploaded_before=NOON)
            run = None if whole_project else here.run.id
            await unit.blobs.release(here.project.id, run, review_at=NOON + HOUR)
            due = await unit.blobs.due(NOON + HOUR, 10)
        assert sorted(due) == sorted([A, B, C] if whole_project else [A, B])

    async def test_what_is_forgotten_is_gone(self, units: UnitsOfWork) -> None:
        async with units.writing() as unit:
            await unit.blobs.reserve([A], review_at=NOON)
            await unit.blobs.note_uploads({A: 1}, LOCAL_USER, NOON)
            await unit.blobs.forget([A, B])
            assert await unit.blobs.due(NOON, 10) == ()
            assert await unit.blobs.sizes([A]) == {}
            assert await unit.blobs.uploaded([A], LOCAL_USER, NOON) == frozenset()

    async def test_thousands_are_asked_for_at_once(self, units: UnitsOfWork, here: Here) -> None:
        many = [digest_of(str(n).encode()) for n in range(2500)]
        files = [a_file(f"f{n}", str(n).encode()) for n in range(2500)]
        async with units.writing() as unit:
            await unit.snapshots.add(a_snapshot(here.run, *files))
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.blobs.referred([*many, A], None) == frozenset(many)
            assert await unit.blobs.referring(many) == (here.project.scope,)
