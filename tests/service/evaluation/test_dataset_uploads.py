"""What is taken for a dataset, what is refused and how, and what a deletion takes with it."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from tests.factories import a_project, a_user
from tests.service.evaluation.lab import CSV, Lab, pieces
from tracker.domain.errors import Forbidden, Invalid, NotFound, TooLarge, TrackerError, Unauthenticated
from tracker.domain.evaluation.datasets.limits import Limits
from tracker.domain.evaluation.datasets.rows import Columns
from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.evaluation.refusals import MISSING_EXAMPLES
from tracker.domain.identity.actor import Access, Actor
from tracker.domain.identity.roles import Role
from tracker.ports.unit_of_work import UnitsOfWork

GZIP_BOMB = gzip.compress(b"examples\n" + b"a\n" * 10_000_000, 1, mtime=0)
ZIPPED = io.BytesIO()
with zipfile.ZipFile(ZIPPED, "w", zipfile.ZIP_DEFLATED) as _archive:
    _archive.writestr("rows.csv", b"examples\n" + b"a\n" * 1_000_000)

INFERENCE = {"model": "m", "provider": "openai", "base_url": "http://localhost:1/v1"}


async def test_what_is_uploaded_can_be_read_back_by_a_link_without_credentials(lab: Lab):
    dataset = await lab.upload()
    assert (dataset.filename, dataset.coverage.rows, dataset.extra) == ("rows.csv", 3, ("extra",))
    (link,) = await lab.datasets.links(lab.actor, dataset.id)
    assert await lab.text_behind(link) == CSV
    assert await lab.datasets.links(lab.actor, dataset.id, extension="CSV") != ()
    assert await lab.datasets.links(lab.actor, dataset.id, extension="jsonl") == ()


async def test_a_link_holds_for_an_hour_and_for_what_is_still_there(lab: Lab):
    dataset = await lab.upload()
    (link,) = await lab.datasets.links(lab.actor, dataset.id)
    for forged in (link[:-2], link.replace(".", ".A"), f"{link}=", "", "a.b", "ä.ö"):
        with pytest.raises(Unauthenticated):
            await lab.links.follow(forged)
    lab.clock.advance(seconds=3599)
    await lab.links.follow(link)
    lab.clock.advance(seconds=1)
    with pytest.raises(Unauthenticated):
        await lab.links.follow(link)
    (link,) = await lab.datasets.links(lab.actor, dataset.id)
    await lab.datasets.delete(lab.actor, dataset.id)
    with pytest.raises(NotFound):
        await lab.links.follow(link)


async def test_the_same_rows_again_are_the_same_dataset_and_other_rows_a_revision(lab: Lab):
    first = await lab.upload()
    assert await lab.upload() == first
    assert await lab.upload(CSV.replace(b"\n", b"\r\n")) == first
    second = await lab.upload(CSV + b"four,FOUR,4\n")
    assert (second.revision, second.previous_id) == (2, first.id)
    page = await lab.datasets.page(lab.actor)
    assert (page.total, page.items[0].id) == (2, second.id) or page.total == 2


REFUSED: dict[str, tuple[bytes, str, str, str]] = {
    "empty": (b"", "a.csv", "examples", MISSING_EXAMPLES),
    "empty jsonl": (b"", "a.jsonl", "examples", MISSING_EXAMPLES),
    "no examples": (b"text,truth\na,b\n", "a.csv", "examples", MISSING_EXAMPLES),
    "no examples jsonl": (b'{"text": "a"}\n', "a.jsonl", "examples", MISSING_EXAMPLES),
    "open quote": (b'examples\n"never closed\n', "a.csv", "row 1", "dataset"),
    "too many fields": (b"examples\na,b\n", "a.csv", "row 1", "dataset"),
    "latin": (b"examples\n\xff\n", "a.csv", "UTF-8", "dataset"),
    "gzip": (gzip.compress(CSV, mtime=0), "a.csv", "gzip", "dataset"),
    "gzip bomb": (GZIP_BOMB, "a.csv.gz", "gzip", "dataset"),
    "zip bomb": (ZIPPED.getvalue(), "a.csv", "ZIP", "dataset"),
    "half parquet": (b"PAR1 and nothing else....", "a.parquet", "Parquet", "dataset"),
    "short parquet": (b"PAR1", "a.parquet", "too short", "dataset"),
    "parquet as csv": (b"PAR1 is not what it seems", "a.csv", "ending .parquet", "dataset"),
    "deep json": (b'{"examples": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "a.jsonl", "nested", "dataset"),
    "a million columns": (b"examples" + b",c" * 1_000_000 + b"\n", "a.csv", "columns", "dataset"),
    "large field": (b"examples\n" + b"x" * 5_000_000 + b"\n", "a.csv", "characters", "dataset"),
    "large row": (b"examples\n" + b"x" * 9_000_000, "a.csv", "bytes allowed", "dataset"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "name", "says", "kind"), REFUSED.values(), ids=REFUSED)
async def test_what_is_no_dataset_is_refused_with_a_reason_and_nothing_is_kept(
    lab: Lab, content: bytes, name: str, says: str, kind: str
):
    with pytest.raises(Invalid, match=says) as caught:
        await lab.datasets.upload(lab.actor, name, pieces(content, 1_000_000))
    assert caught.value.problems[0].type == kind
    assert (await lab.datasets.page(lab.actor)).total == 0


async def test_a_bomb_is_refused_before_it_is_read_to_its_end(units: UnitsOfWork, tmp_path: Path):
    lab = Lab(units, tmp_path, Limits(file_bytes=1_000_000))
    sent = 0

    async def endless():
        nonlocal sent
        while True:
            sent += 65_536
            yield b"x" * 65_536

    with pytest.raises(TooLarge, match="1,000,000 bytes"):
        await lab.datasets.upload(lab.actor, "a.csv", endless())
    assert sent < 1_200_000
    assert list((tmp_path / "incoming").iterdir()) == []


async def test_an_upload_that_is_cut_off_leaves_nothing(lab: Lab, tmp_path: Path):
    async def cut():
        yield b"examples\n"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await lab.datasets.upload(lab.actor, "a.csv", cut())
    assert list((tmp_path / "incoming").iterdir()) == []
    assert (await lab.datasets.page(lab.actor)).total == 0


@pytest.mark.parametrize(
    ("content", "columns", "rows"),
    [
        (b"examples,ground_truth\n", None, 0),
        (b"examples,ground_truth\n1,2\n3,4\n", None, 2),
        (b"text,label\na,b\n", Columns(examples="text", ground_truth="label"), 1),
        (b"\xef\xbb\xbfexamples\n\xe2\x98\x83\n", None, 1),
    ],
    ids=["a header alone", "numbers", "other names", "a mark in front"],
)
async def test_odd_files_that_are_right_are_taken(
    lab: Lab, content: bytes, columns: Columns | None, rows: int
):
    dataset = await lab.upload(content, columns=columns)
    assert dataset.coverage.rows == rows


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\r\nb.csv", "con.csv", "\u202egpj.csv", "", "a" * 500]
)
async def test_a_hostile_file_name_is_made_harmless(lab: Lab, name: str):
    dataset = await lab.upload(name=name)
    assert "/" not in dataset.filename and "\n" not in dataset.filename and dataset.filename
    assert len(dataset.filename.encode()) <= 200


async def test_without_a_project_it_belongs_to_ones_own_and_others_do_not_see_it(lab: Lab):
    ann, ben = a_user(), a_user()
    async with lab.units.writing() as unit:
        await unit.users.add(ann)
        await unit.users.add(ben)
        await unit.commit()
    hers, his = Actor(user_id=ann.id), Actor(user_id=ben.id)
    first = await lab.datasets.upload(hers, "a.csv", pieces(CSV))
    second = await lab.datasets.upload(hers, "b.csv", pieces(CSV))
    other = await lab.datasets.upload(his, "a.csv", pieces(CSV))
    assert first.project_id == second.project_id != other.project_id
    assert (await lab.datasets.page(hers)).total == 2
    assert (await lab.datasets.page(lab.actor)).total == 3
    for attempt in (lab.datasets.get, lab.datasets.links, lab.datasets.open, lab.datasets.delete):
        with pytest.raises(NotFound, match=f"dataset {first.id} not found"):
            await attempt(his, first.id)
    with pytest.raises(NotFound):
        await lab.jobs.create(his, JobKind.INFERENCE, name="j", dataset_id=first.id, config=INFERENCE)
    with pytest.raises(NotFound):
        await lab.evaluations.create(his, name="e", dataset_id=first.id)


async def test_who_may_only_look_does_not_upload_or_delete(lab: Lab):
    eve, project = a_user(), a_project()
    async with lab.units.writing() as unit:
        await unit.users.add(eve)
        await unit.projects.add(project)
        await unit.commit()
    dataset = await lab.upload(project_id=project.id)
    viewer = Actor(user_id=eve.id, access=Access(projects={project.id: Role.VIEWER}))
    assert await lab.datasets.get(viewer, dataset.id) == dataset
    for refused in (
        lab.datasets.delete(viewer, dataset.id),
        lab.datasets.upload(viewer, "a.csv", pieces(CSV), project_id=project.id),
        lab.jobs.create(viewer, JobKind.INFERENCE, name="j", dataset_id=dataset.id, config=INFERENCE),
    ):
        with pytest.raises(Forbidden):
            await refused


async def test_a_deletion_takes_the_bytes_and_says_which_jobs_fail(lab: Lab):
    dataset = await lab.upload()
    job = await lab.jobs.create(
        lab.actor, JobKind.INFERENCE, name="j", dataset_id=dataset.id, config=INFERENCE
    )
    deletion = await lab.datasets.delete(lab.actor, dataset.id)
    assert deletion.failing == (job.id,)
    lab.clock.advance(hours=25)
    await lab.blobs.sweep()
    assert await lab.store.has([dataset.digest]) == frozenset()
    with pytest.raises(NotFound):
        await lab.datasets.delete(lab.actor, dataset.id)


async def test_parquet_is_taken_and_its_rows_are_those_of_the_same_csv(lab: Lab, tmp_path: Path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    table = pa.table({"examples": ["one", "two"], "ground_truth": ["ONE", None], "extra": ["1", "2"]})
    pq.write_table(table, tmp_path / "a.parquet")
    dataset = await lab.upload((tmp_path / "a.parquet").read_bytes(), "a.parquet")
    other = await lab.upload(b"examples,ground_truth,extra\none,ONE,1\ntwo,,2\n", "b.csv")
    assert dataset.content_hash == other.content_hash and dataset.coverage == other.coverage


@pytest.mark.slow
async def test_parquet_bombs_are_refused_by_what_their_pages_say(units: UnitsOfWork, tmp_path: Path):
    lab = Lab(units, tmp_path, Limits(file_bytes=2_000_000))
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")

    def written(table: object, **options: object) -> bytes:
        pq.write_table(table, tmp_path / "a.parquet", **options)
        return (tmp_path / "a.parquet").read_bytes()

    shared = pa.DictionaryArray.from_arrays(pa.array([0] * 5000, pa.int32()), pa.array(["x" * 3_000_000]))
    bombs = {
        "unpacks to": written(
            pa.table({"examples": ["y" * 70_000_000]}), compression="gzip", use_dictionary=False
        ),
        "2,000 columns": written(pa.table({f"c{i}": [1] for i in range(2000)})),
        "characters of text": written(pa.table({"examples": shared}), compression="zstd"),
        "nested": written(pa.table({"examples": ["a"], "deep": [[["b"]]]})),
    }
    for says, content in bombs.items():
        assert len(content) < 1_000_000
        with pytest.raises(TrackerError, match=says):
            await lab.datasets.upload(lab.actor, "a.parquet", pieces(content, 100_000))
