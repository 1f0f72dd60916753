"""Files through the library's front door, in process and against a live server: one suite over both."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracker
from tests.e2e.conftest import LiveServer, databases, server  # noqa: F401  (fixtures)
from tests.factories import a_file, new_id
from tracker.domain.artifacts.digest import digest_of
from tracker.domain.errors import Conflict, Invalid, NotFound
from tracker.domain.experiments.experiment import Experiment

ABSENT = digest_of(b"nobody put this")


@pytest.fixture(params=["embedded", pytest.param("server", marks=pytest.mark.slow)])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tracker.Tracker]:
    if request.param == "embedded":
        where = {"data": str(tmp_path / "data")}
    else:
        live: LiveServer = request.getfixturevalue("server")
        where = {"url": live.url}
    with tracker.open(**where) as opened:
        yield opened


@pytest.fixture
def run(library: tracker.Tracker) -> Experiment:
    return library.experiments.create(library.projects.create(f"p {new_id()}").id, name="a")


def uploaded(library: tracker.Tracker, content: bytes) -> str:
    digest = digest_of(content)
    library.artifacts.upload(digest, content)
    return digest


def test_bytes_are_missing_until_they_are_uploaded(library: tracker.Tracker) -> None:
    content = os.urandom(1000)
    digest = digest_of(content)
    assert library.artifacts.missing([digest, ABSENT, digest]) == (digest, ABSENT)
    for _ in range(2):
        library.artifacts.upload(digest, content)
    assert library.artifacts.missing([digest, ABSENT]) == (ABSENT,)
    assert library.artifacts.missing([]) == ()
    assert library.artifacts.read(digest) == content


def test_other_bytes_than_were_named_are_refused(library: tracker.Tracker, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="hash to"):
        library.artifacts.upload(ABSENT, b"something else")
    with pytest.raises(Invalid, match="64"):
        library.artifacts.upload("abc", b"abc")
    with pytest.raises(Invalid, match="cannot be read"):
        library.artifacts.upload(ABSENT, tmp_path / "absent")
    assert library.artifacts.missing([ABSENT]) == (ABSENT,)


@pytest.mark.slow
def test_many_are_uploaded_together_whatever_they_are_of(library: tracker.Tracker, tmp_path: Path) -> None:
    contents = [b"", os.urandom(3_000_000), *(os.urandom(4_000 + n) for n in range(1_100))]
    sources: dict[str, bytes | Path] = {}
    for number, content in enumerate(contents):
        file = tmp_path / str(number)
        file.write_bytes(content)
        sources[digest_of(content)] = file if number % 2 else content
    library.artifacts.upload_many(sources)
    library.artifacts.upload_many(sources)
    library.artifacts.upload_many({})
    assert library.artifacts.missing(list(sources)) == ()
    for content in (*contents[:3], contents[-1]):
        assert library.artifacts.read(digest_of(content)) == content


def test_of_many_that_are_not_all_right_none_of_a_part_is_kept(
    library: tracker.Tracker, tmp_path: Path
) -> None:
    content = os.urandom(1000)
    good: dict[str, bytes | Path] = {digest_of(content): content}
    with pytest.raises(Conflict, match=f"not to {ABSENT}; nothing was kept"):
        library.artifacts.upload_many({**good, ABSENT: b"something else"})
    with pytest.raises(Invalid):
        library.artifacts.upload_many({**good, "abc": b"abc"})
    with pytest.raises(Invalid, match="cannot be read"):
        library.artifacts.upload_many({**good, ABSENT: tmp_path / "absent"})
    assert library.artifacts.missing([*good, ABSENT]) == (*good, ABSENT)
    library.artifacts.upload_many(good)
    assert library.artifacts.missing([*good]) == ()


def test_an_artifact_is_put_listed_and_read_back(
    library: tracker.Tracker, run: Experiment, tmp_path: Path
) -> None:
    content = os.urandom(3_000_000)
    source = tmp_path / "weights.bin"
    source.write_bytes(content)
    digest = digest_of(content)
    library.artifacts.upload(digest, source)
    put = library.artifacts.put(
        run.id, "model/weights.bin", digest=digest, size=len(content), kind="model", step=3,
        media_type="application/x-weights", metadata={"layers": [1, 2], "note": "best"},
    )  # fmt: skip
    image = library.artifacts.put(
        run.id, "a.png", digest=digest, size=len(content), kind="image", media_type="image/png"
    )
    assert (put.project_id, put.experiment_id, put.step) == (run.project_id, run.id, 3)
    assert library.artifacts.get(put.id) == put
    assert library.artifacts.list(run.id) == (image, put)
    assert library.artifacts.list(run.id, kind="model") == (put,)
    assert library.artifacts.list(run.id, name="a.png", kind="model") == ()
    assert library.artifacts.read(put) == content
    target = tmp_path / "new" / "folder" / "w.bin"
    assert library.artifacts.download(put, target) == target
    assert target.read_bytes() == content
    assert [path.name for path in target.parent.iterdir()] == ["w.bin"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~_umask()


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def test_the_same_again_changes_nothing_and_other_bytes_replace(
    library: tracker.Tracker, run: Experiment
) -> None:
    old, new = uploaded(library, b"old"), uploaded(library, b"newer")
    first = library.artifacts.put(run.id, "log.txt", digest=old, size=3)
    again = library.artifacts.put(run.id, "log.txt", digest=old, size=3, kind="text")
    assert again == first
    later = library.artifacts.put(run.id, "log.txt", digest=new, size=5)
    assert (later.id, later.digest, later.size) == (first.id, new, 5)
    stepped = library.artifacts.put(run.id, "log.txt", digest=old, size=3, step=0)
    assert library.artifacts.list(run.id) == (later, stepped)


def test_what_was_not_uploaded_or_has_another_size_is_refused(
    library: tracker.Tracker, run: Experiment
) -> None:
    here = uploaded(library, b"here")
    with pytest.raises(Conflict, match="not uploaded"):
        library.artifacts.put(run.id, "a", digest=ABSENT, size=3)
    with pytest.raises(Conflict, match="size"):
        library.artifacts.put(run.id, "a", digest=here, size=3)
    with pytest.raises(Conflict, match="not uploaded"):
        library.artifacts.snapshot(run.id, [a_file("a", b"here"), a_file("b", b"nobody put this")])
    assert library.artifacts.list(run.id) == ()
    assert library.artifacts.snapshots(run.id) == ()


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../a", "a//b", "C:/a", "a\\b", "a/./b", "x" * 501])
def test_a_name_that_leads_elsewhere_is_refused(library: tracker.Tracker, run: Experiment, name: str) -> None:
    here = uploaded(library, b"here")
    with pytest.raises(Invalid, match="name"):
        library.artifacts.put(run.id, name, digest=here, size=4)


def test_a_snapshot_comes_back_as_it_was(library: tracker.Tracker, run: Experiment) -> None:
    for content in (b"print()", b"", b"src/train.py"):
        uploaded(library, content)
    files = (
        a_file("src/train.py", b"print()", mode=0o755),
        a_file("empty", b""),
        a_file("latest", b"src/train.py", link=True),
    )
    environment = {"packages": {"numpy": "2.0"}, "seeds": [1, None]}
    taken = library.artifacts.snapshot(run.id, files, environment=environment)
    bare = library.artifacts.snapshot(run.id, [])
    assert [file.path for file in taken.files] == ["empty", "latest", "src/train.py"]
    assert set(taken.files) == set(files)
    assert dict(taken.environment) == {"packages": {"numpy": "2.0"}, "seeds": (1, None)}
    assert library.artifacts.get_snapshot(taken.id) == taken
    assert library.artifacts.snapshots(run.id) == (taken, bare)
    assert [library.artifacts.read(file.digest) for file in taken.files] == [b"", b"src/train.py", b"print()"]


def test_a_file_that_is_a_folder_too_is_refused(library: tracker.Tracker, run: Experiment) -> None:
    uploaded(library, b"abc")
    for paths in (["a", "a/b"], ["a", "a"]):
        with pytest.raises(Invalid, match="files"):
            library.artifacts.snapshot(run.id, [a_file(path) for path in paths])


def test_what_does_not_exist_is_not_found(library: tracker.Tracker, run: Experiment, tmp_path: Path) -> None:
    for attempt in (
        lambda: library.artifacts.get(new_id()),
        lambda: library.artifacts.get_snapshot(new_id()),
        lambda: library.artifacts.list(new_id()),
        lambda: library.artifacts.snapshots(new_id()),
        lambda: library.artifacts.read(ABSENT),
        lambda: library.artifacts.download(ABSENT, tmp_path / "x"),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert not (tmp_path / "x").exists()
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_a_download_to_where_nothing_can_be_written_says_so(library: tracker.Tracker, tmp_path: Path) -> None:
    digest = uploaded(library, b"abc")
    (tmp_path / "file").write_text("here already")
    with pytest.raises(Invalid, match="cannot be written"):
        library.artifacts.download(digest, tmp_path / "file" / "below")


def test_a_comparison_tells_in_which_files_and_packages_experiments_differ(
    library: tracker.Tracker, run: Experiment
) -> None:
    other = library.experiments.create(run.project_id, name="b")
    bare = library.experiments.create(run.project_id, name="c")
    for content in (b"one", b"two"):
        uploaded(library, content)
    for each, content, version in ((run, b"two", "0"), (run, b"one", "1"), (other, b"two", "2")):
        library.artifacts.snapshot(
            each.id, [a_file("train.py", content)], environment={"packages": {"numpy": version}}
        )
    found = library.experiments.compare([run.id, other.id, bare.id])
    assert [(state.is_known, state.same, state.changed) for state in found.trees] == [
        (True, True, ()), (True, False, ("train.py",)), (False, None, ()),
    ]  # fmt: skip
    (numpy,) = found.environment
    assert (numpy.name, dict(numpy.values)) == ("packages.numpy", {run.id: "1", other.id: "2"})
